// Firefox by Puppeteer over WebDriver BiDi, for driver.cjs.

const puppeteer = require("puppeteer-core");

const WAIT = { timeout: 30_000, polling: 50 };

exports.launch = async () => {
  const browser = await puppeteer.launch({ browser: "firefox", executablePath: process.env.BROWSER });
  return {
    // A context of its own for each page: two people, not two tabs. Its color scheme cannot be set.
    async newPage({ width, height }) {
      const page = await (await browser.createBrowserContext()).newPage();
      await page.setViewport({ width, height });
      return page;
    },
    beforeScripts: (page, script) => page.evaluateOnNewDocument(script),
    newTab: (page) => page.browserContext().newPage(),
    closePerson: (page) => page.browserContext().close(),
    wait: (page, script, ...words) => page.waitForFunction(script, WAIT, words),
    close: () => browser.close(),
  };
};
