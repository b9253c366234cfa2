// Drives Chromium for browser.py: one JSON request a line on standard input, one answer a line on
// standard output. {"do": "open", "url": …} gives a page number; the rest names its page.

const readline = require("node:readline");
const { chromium } = require("playwright-core");

const WAIT = { timeout: 30_000, polling: 50 };
const pages = [];

const actions = {
  async open({ url, width = 760, scheme = "light" }, browser) {
    // A context of its own for each page: two people, not two tabs.
    const context = { viewport: { width, height: 640 }, colorScheme: scheme };
    const page = await (await browser.newContext(context)).newPage();
    page.complaints = [];
    page.on("console", (entry) => entry.type() === "error" && page.complaints.push(entry.text()));
    page.on("pageerror", (error) => page.complaints.push(String(error)));
    await page.goto(url);
    return pages.push(page) - 1;
  },
  click: ({ page, selector }) => pages[page].click(selector),
  hover: ({ page, selector }) => pages[page].hover(selector),
  down: ({ page }) => pages[page].mouse.down(),
  up: ({ page }) => pages[page].mouse.up(),
  focus: ({ page, selector }) => pages[page].focus(selector),
  press: ({ page, key }) => pages[page].keyboard.press(key),
  text: ({ page, selector }) => pages[page].innerText(selector),
  wait: ({ page, selector, text }) =>
    pages[page].waitForFunction(
      ([where, wanted]) => document.querySelector(where)?.innerText.includes(wanted),
      [selector, text], WAIT).then(() => null),
  evaluate: ({ page, script }) => pages[page].evaluate(script),
  complaints: ({ page }) => pages[page].complaints,
  screenshot: ({ page, path }) => pages[page].screenshot({ path }).then(() => null),
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
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answer(browser, line)));
  }
  await browser.close();
}

main();
