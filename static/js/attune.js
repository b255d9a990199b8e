// Small conveniences. Every page works without them.

import "./passkeys.js";
import "./passwords.js";
import "./previews.js";
import "./session.js";
import "./sums.js";

const leave = document.querySelector("[data-leave]");
let lastEscape = -Infinity;

// Replacing the entry keeps "back" from returning here.
function leaveQuickly(event) {
  event?.preventDefault();
  document.documentElement.hidden = true;
  window.location.replace(leave.href);
}

if (leave) {
  leave.addEventListener("click", leaveQuickly);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.repeat) return;
    if (event.timeStamp - lastEscape < 800) leaveQuickly();
    lastEscape = event.timeStamp;
  });
}

document.querySelector(".error-summary")?.focus();

// A private page that the browser had kept (back, after signing out) is asked for anew, unseen.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted || !document.querySelector("[data-private]")) return;
  document.documentElement.hidden = true;
  window.location.reload();
});

// A page that waits for word from elsewhere moves on by itself once its address leads elsewhere.
const LOOK_EVERY = 3000;
let looksLeft = 100;

async function lookAgain() {
  const answer = await fetch(window.location.href, { credentials: "same-origin" }).catch(() => null);
  if (answer?.redirected) window.location.replace(answer.url);
  else if ((looksLeft -= 1) > 0) window.setTimeout(lookAgain, LOOK_EVERY);
}

if (document.querySelector("[data-waits]")) window.setTimeout(lookAgain, LOOK_EVERY);
