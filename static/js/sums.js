// A form with data-sum says while numbers are typed what is left of that sum. Sent, it is checked.

const form = document.querySelector("form[data-sum]");
const left = document.querySelector("#left");

function say() {
  const numbers = [...form.querySelectorAll("input[inputmode=numeric]")];
  const given = numbers.reduce((sum, field) => sum + (parseInt(field.value, 10) || 0), 0);
  const rest = Number(form.dataset.sum) - given;
  if (rest === 0) left.value = `All ${form.dataset.sum} are given.`;
  else if (rest > 0) left.value = `${given} are given; ${rest} are left to give.`;
  else left.value = `${given} are given; that is ${-rest} too many.`;
}

form?.addEventListener("input", say);
