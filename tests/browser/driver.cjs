// Drives a browser for browser.py: one JSON request a line on standard input, one answer a line on
// standard output. {"do": "open", "url": …} gives a page number; the rest names its page. With `beside`, the number of
// another page, it is a tab of that one's person. The argument
// says which browser; what Playwright and Puppeteer call the same is used here for both.

const readline = require("node:readline");

const pages = []; // null once closed

// In the page, before its own scripts: what its Content-Security-Policy has kept out.
function watchPolicy() {
  window.violations = [];
  document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
    window.violations.push(`${violatedDirective} ${blockedURI}`);
  });
}

const actions = {
  async open({ url, width = 760, height = 640, scheme = "light", beside = null }, browser) {
    const isTab = beside !== null;
    const page = isTab ? await browser.newTab(pages[beside]) : await browser.newPage({ width, height, scheme });
    page.isTab = isTab;
    page.complaints = [];
    page.requests = [];
    page.on("request", (request) => page.requests.push(request.url()));
    await browser.beforeScripts(page, watchPolicy);
    page.on("console", (entry) => entry.type() === "error" && page.complaints.push(entry.text()));
    page.on("pageerror", (error) => page.complaints.push(String(error)));
    await page.goto(url);
    return pages.push(page) - 1;
  },
  async close_pages(_, browser) {
    await Promise.all(pages.map((page) => page && !page.isTab && browser.closePerson(page)));
    pages.fill(null);
  },
  click: ({ page, selector }) => pages[page].click(selector),
  hover: ({ page, selector }) => pages[page].hover(selector),
  down: ({ page }) => pages[page].mouse.down(),
  up: ({ page }) => pages[page].mouse.up(),
  focus: ({ page, selector }) => pages[page].focus(selector),
  async press({ page, key }) {
    await pages[page].bringToFront(); // Firefox gives keys to the page that is seen
    await pages[page].keyboard.press(key);
  },
  async key_down({ page, key }) {
    await pages[page].bringToFront();
    await pages[page].keyboard.down(key);
  },
  key_up: ({ page, key }) => pages[page].keyboard.up(key),
  text: ({ page, selector }) => pages[page].$eval(selector, (element) => element.innerText),
  wait: ({ page, selector, text }, browser) =>
    browser.wait(pages[page],
      ([where, wanted]) => document.querySelector(where)?.innerText.includes(wanted), selector, text)
      .then(() => null),
  evaluate: ({ page, script }) => pages[page].evaluate(script),
  complaints: ({ page }) => pages[page].complaints,
  requests: ({ page }) => pages[page].requests,
  type: ({ page, text }) => pages[page].keyboard.type(text),
  screenshot: ({ page, path, whole = false }) => pages[page].screenshot({ path, fullPage: whole }).then(() => null),
};

async function answer(browser, line) {
  const request = JSON.parse(line);
  try {
    return { result: (await actions[request.do](request, browser)) ?? null };
  } catch (error) {
    return { error: String(error) };
  }
}

async function main() {
  const browser = await require(`./${process.argv[2]}.cjs`).launch();
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answer(browser, line)));
  }
  await browser.close();
}

main();
