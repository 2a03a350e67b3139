// What Gradio's components do not say by themselves: names of the examples, a result that a screen reader announces, and
// that comes into sight where the page is one column.
"use strict";

const ONE_COLUMN_PX = 700;

function nameExamples() {
  document.querySelectorAll("#ce-examples button").forEach((button, index) => {
    const name = `Example ${index + 1}: read this picture`;
    if (button.getAttribute("aria-label") === name) return;
    button.setAttribute("aria-label", name);
    button.querySelectorAll("img").forEach((picture) => picture.setAttribute("alt", ""));
  });
}

function announce(result) {
  result.setAttribute("role", "status");
  result.setAttribute("aria-live", "polite");
  result.setAttribute("aria-label", "Result");
  new MutationObserver(() => {
    const read = result.querySelector(".ce-text, .ce-problem");
    if (read && window.innerWidth < ONE_COLUMN_PX) result.scrollIntoView({ block: "start" });
  }).observe(result, { childList: true, subtree: true });
}

new MutationObserver(() => {
  nameExamples();
  document.querySelectorAll(".block.ce-result:not([role])").forEach(announce);
}).observe(document.documentElement, { childList: true, subtree: true });
