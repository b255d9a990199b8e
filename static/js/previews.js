// A form with data-preview shows what would change as soon as a field does: it sends itself, keeps
// nothing, and takes over the region #preview of the answer. Without it there is a button.

const form = document.querySelector("form[data-preview]");
let asked = 0;

async function look() {
  const turn = (asked += 1);
  const body = new FormData(form);
  body.set("action", "look");
  const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin" }).catch(() => null);
  if (!answer || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const shown = page.querySelector("#preview");
  // An answer that was overtaken says nothing about the wishes as they are.
  if (shown && turn === asked) document.querySelector("#preview").replaceChildren(...shown.childNodes);
}

form?.addEventListener("change", look);
