// A form with data-preview shows what would change as soon as a field does: it sends itself, keeps
// nothing, and takes over the regions (data-region) of the answer. Without it there is a button.
// Where no such answer comes, the regions of #preview-failed say so: what stood there is of before.

const form = document.querySelector("form[data-preview]");
const LONGEST = 15_000;
let asking;

function look() {
  // An answer that was overtaken says nothing about the wishes as they are.
  asking?.abort();
  asking = new XMLHttpRequest();
  // A button of the form is called "action", so the property is that button.
  asking.open("POST", form.getAttribute("action"));
  asking.responseType = "document";
  asking.timeout = LONGEST;
  asking.addEventListener("load", (event) => show(event.target.response));
  for (const gone of ["error", "timeout"]) asking.addEventListener(gone, () => show(null));
  const sent = new FormData(form);
  sent.set("action", "look");
  asking.send(sent);
}

function show(page) {
  const answer = page?.querySelector("[data-region]") ? page : failed();
  for (const region of form.querySelectorAll("[data-region]")) {
    const shown = answer.querySelector(`[data-region="${region.dataset.region}"]`);
    region.replaceChildren(...shown.childNodes);
  }
}

function failed() {
  return document.querySelector("#preview-failed").cloneNode(true);
}

form?.addEventListener("change", look);
