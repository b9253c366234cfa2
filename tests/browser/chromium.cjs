// Chromium by Playwright, for driver.cjs.

const { chromium } = require("playwright-core");

const WAIT = { timeout: 30_000, polling: 50 };

exports.launch = async () => {
  const browser = await chromium.launch({
    executablePath: process.env.BROWSER,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  return {
    // A context of its own for each page: two people, not two tabs.
    async newPage({ width, height, scheme }) {
      const look = { viewport: { width, height }, colorScheme: scheme };
      return (await browser.newContext(look)).newPage();
    },
    beforeScripts: (page, script) => page.addInitScript(script),
    newTab: (page) => page.context().newPage(),
    closePerson: (page) => page.context().close(),
    wait: (page, script, ...words) => page.waitForFunction(script, words, WAIT),
    close: () => browser.close(),
  };
};
