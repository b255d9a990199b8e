// Small conveniences. Every page works without them.

const leave = document.querySelector("[data-leave]");
let lastEscape = 0;

// Replacing the entry keeps "back" from returning here.
function leaveQuickly(event) {
  event?.preventDefault();
  document.documentElement.hidden = true;
  window.location.replace(leave.href);
}

if (leave) {
  leave.addEventListener("click", leaveQuickly);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (event.timeStamp - lastEscape < 800) leaveQuickly();
    lastEscape = event.timeStamp;
  });
}

document.querySelector(".error-summary")?.focus();
