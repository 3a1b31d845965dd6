// Shows reports in markdown as GitHub does, in a light and in a dark page:
//
//     node render.mjs CHROMIUM FOLDER REPORT.md...
//
// writes FOLDER/REPORT-light.png and FOLDER/REPORT-dark.png, and fails when a graph cannot be drawn
// or when a text of the report has become part of the page. Everything is read from this folder; the
// page reaches nothing else.

import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { marked } from "marked";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
const module = (path) => join(here, "node_modules", path);
const [program, folder, ...reports] = process.argv.slice(2);
if (!program || !folder || reports.length === 0) {
    console.error("usage: node render.mjs CHROMIUM FOLDER REPORT.md...");
    process.exit(2);
}

// What GitHub lets through of the elements that a report writes, and what markdown becomes.
const EXPECTED = new Set(
    ("ARTICLE BLOCKQUOTE BR CODE DETAILS EM H1 H2 H3 LI OL P PRE STRONG SUMMARY TABLE TBODY TD TH THEAD TR UL A DIV")
        .split(" "),
);

function page(theme, body) {
    const css = readFileSync(module(`github-markdown-css/github-markdown-${theme}.css`), "utf8");
    return `<!doctype html><meta charset="utf-8"><title>report</title>
<style>${css}
body { margin: 0 } article { max-width: 860px; padding: 24px 32px }
.del { color: ${theme === "dark" ? "#ffdcd7" : "#82071e"}; background: ${theme === "dark" ? "#67060c" : "#ffebe9"} }
.ins { color: ${theme === "dark" ? "#aff5b4" : "#116329"}; background: ${theme === "dark" ? "#033a16" : "#dafbe1"} }
div.mermaid { text-align: center; padding: 8px }</style>
<article class="markdown-body">${body}</article>`;
}

// Runs in the page: graphs as GitHub draws them, and `diff` in colours.
async function draw({ theme }) {
    mermaid.initialize({ startOnLoad: false, securityLevel: "strict", theme: theme === "dark" ? "dark" : "default" });
    const problems = [];
    let number = 0;
    for (const block of document.querySelectorAll("pre > code.language-mermaid")) {
        try {
            const { svg } = await mermaid.render(`graph${number++}`, block.textContent);
            const drawn = document.createElement("div");
            drawn.className = "mermaid";
            drawn.innerHTML = svg;
            block.parentElement.replaceWith(drawn);
        } catch (error) {
            problems.push(`a graph cannot be drawn: ${error.message ?? error}`);
        }
    }
    for (const block of document.querySelectorAll("pre > code.language-diff")) {
        const lines = block.textContent.trimEnd().split("\n").map((line) => {
            const shown = document.createElement("span");
            shown.textContent = `${line}\n`;
            shown.className = line.startsWith("-") ? "del" : line.startsWith("+") ? "ins" : "";
            return shown;
        });
        block.replaceChildren(...lines);
    }
    return problems;
}

// Runs in the page: elements that no report writes, and addresses that lead elsewhere than to a web page.
function foreign(expected) {
    const inside = [...document.querySelectorAll("article *")].filter((element) => !element.closest("div.mermaid"));
    const elements = inside.filter((element) => !expected.includes(element.tagName)).map((element) => element.tagName);
    const links = [...document.querySelectorAll("article a")].map((link) => link.getAttribute("href"));
    const wrong = links.filter((link) => !link?.startsWith("https://"));
    const attributes = inside.flatMap((element) => [...element.attributes].map((one) => one.name));
    const odd = attributes.filter((name) => !["class", "href", "align"].includes(name));
    return [...elements, ...wrong, ...odd].map((what) => `the report became part of the page: ${what}`);
}

const browser = await chromium.launch({
    executablePath: program,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync"],
});
const problems = [];
try {
    for (const theme of ["light", "dark"]) {
        let current = "";
        const told = (text) => problems.push(`${current} (${theme}): ${text}`);
        const tab = await browser.newPage({ viewport: { width: 924, height: 600 }, offline: true });
        tab.on("dialog", (dialog) => { told(`it ran a script: ${dialog.message()}`); dialog.dismiss(); });
        tab.on("pageerror", (error) => told(`an error in the page: ${error.message}`));
        tab.on("request", (request) => told(`it asked for ${request.url()}`));
        // Read once: it stays when the content is replaced.
        await tab.addScriptTag({ path: module("mermaid/dist/mermaid.min.js") });
        for (const report of reports) {
            current = report;
            await tab.setContent(page(theme, marked.parse(readFileSync(report, "utf8"))));
            (await tab.evaluate(foreign, [...EXPECTED])).forEach(told);
            (await tab.evaluate(draw, { theme })).forEach(told);
            const name = `${basename(report, ".md")}-${theme}.png`;
            await tab.screenshot({ path: join(folder, name), fullPage: true });
        }
        await tab.close();
    }
} finally {
    await browser.close();
}
problems.forEach((problem) => console.error(problem));
process.exit(problems.length === 0 ? 0 : 1);
