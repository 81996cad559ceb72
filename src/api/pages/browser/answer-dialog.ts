// Opens an answer in front of the current page, at the answer's own address: Back closes it. Without this script its
// link opens it as a separate page.

const page = { address: withoutHash(), title: document.title };

const dialog = document.createElement("dialog");
dialog.setAttribute("aria-label", "The basis of the answer");
const content = document.createElement("div");
const close = document.createElement("button");
close.type = "button";
close.textContent = "Close";
close.addEventListener("click", () => {
  dialog.close();
});
dialog.append(content, close);
document.body.append(dialog);

/** Ends the loading of an answer that is no longer needed. */
let loading: AbortController | undefined;
dialog.addEventListener("close", () => {
  loading?.abort();
  document.title = page.title;
  if (withoutHash() !== page.address) history.back();
});

document.addEventListener("click", (event) => {
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  const link = event.target instanceof Element ? event.target.closest("a[data-opens=dialog]") : null;
  if (!isPlain || !(link instanceof HTMLAnchorElement)) return;
  event.preventDefault();
  history.pushState("dialog", "", link.href);
  void open(link.href);
});

window.addEventListener("popstate", () => {
  if (withoutHash() === page.address) dialog.close();
  else if (history.state === "dialog" && document.querySelector("a[data-opens=dialog]") !== null)
    void open(withoutHash());
  // The answer was reloaded as a separate page, and Back leads to a page that is not loaded.
  else location.reload();
});

async function open(address: string): Promise<void> {
  loading?.abort();
  loading = new AbortController();
  content.setAttribute("aria-busy", "true");
  content.replaceChildren(paragraph("Loading…"));
  if (!dialog.open) dialog.showModal();
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" }, signal: loading.signal });
    const answer = new DOMParser().parseFromString(await response.text(), "text/html");
    const main = answer.querySelector("main");
    if (main === null) throw new Error(`${address} has no content`);
    document.title = answer.title;
    content.replaceChildren(...main.childNodes);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    const link = document.createElement("a");
    link.href = address;
    link.textContent = "Open it as a page";
    content.replaceChildren(paragraph("The page could not load this answer. "), link);
  }
  content.removeAttribute("aria-busy");
}

function withoutHash(): string {
  return location.href.replace(/#.*/s, "");
}

function paragraph(text: string): HTMLParagraphElement {
  const element = document.createElement("p");
  element.textContent = text;
  return element;
}
