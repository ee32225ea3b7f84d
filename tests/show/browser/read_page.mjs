// Opens a page in Chromium and prints as JSON what a reader would meet: errors, requests, axe's findings, sorted cells.
// node read_page.mjs PAGE FOLDER: screenshots at the widths of a phone and of a desk go into FOLDER, light and dark.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { readFileSync } from "node:fs";

const require = createRequire(pathToFileURL(`${process.env.NODE_MODULES_OF_TESTS}/`));
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [page_path, folder] = process.argv.slice(2);
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
const found = { errors: [], requests: [], axe: [], sorted: [], opened: 0, overflow: {}, unseen: [] };
try {
  for (const [name, width, scheme] of [["phone", 390, "light"], ["desk", 1280, "light"], ["dark", 1280, "dark"]]) {
    const page = await browser.newPage();
    await page.setBypassCSP(false);
    page.on("console", (said) => { if (["error", "warn"].includes(said.type())) found.errors.push(said.text()); });
    page.on("pageerror", (error) => found.errors.push(String(error)));
    page.on("dialog", (dialog) => { found.errors.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
    page.on("request", (request) => {
      if (!request.url().startsWith("file:") && !request.url().startsWith("data:")) found.requests.push(request.url());
    });
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.goto(pathToFileURL(page_path).href, { waitUntil: "load" });
    if (name === "desk") {
      found.opened = await page.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd);
      const heads = await page.$$("table:first-of-type th.number button");
      if (heads.length) {
        await heads[0].focus();
        await page.keyboard.press("Enter");
        found.sorted = await page.evaluate(() => {
          const head = document.querySelector("th[aria-sort]");
          const place = [...head.parentNode.cells].indexOf(head);
          const body = head.closest("table").tBodies[0];
          return [...body.rows].map((row) => Number(row.cells[place].dataset.value));
        });
      }
    }
    await page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
    found.overflow[name] = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (name === "phone") {
      found.unseen = await page.evaluate(() => [...document.querySelectorAll("table")].flatMap((table) => {
        const cell = table.querySelector("td.number");
        return cell && cell.getBoundingClientRect().right > innerWidth ? [table.caption.textContent] : [];
      }));
    }
    if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
    const results = await (await checked(page)).evaluate(async () => axe.run(document, { resultTypes: ["violations"] }));
    found.axe.push(...results.violations.map((each) => ({
      id: each.id, impact: each.impact, view: name, nodes: each.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)),
    })));
    await page.close();
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(found, null, 1));

// axe is put into the page by the protocol, which its policy does not see.
async function checked(page) {
  const session = await page.createCDPSession();
  await session.send("Runtime.evaluate", { expression: axe });
  return page;
}
