// Controls above a chart: a name, selections, numbers. Everything is text; nothing is read as markup.

/** Bar of controls at the top of `root`, with the instrument's name. */
export function toolBar(root, name) {
  const bar = root.appendChild(document.createElement("div"));
  bar.className = "ow-tools";
  bar.dataset.lmSuppressShortcuts = "true";
  const label = bar.appendChild(document.createElement("span"));
  label.className = "ow-name";
  label.textContent = name;
  label.title = name;
  const more = bar.appendChild(document.createElement("button"));
  more.className = "ow-more";
  more.textContent = "⋯";
  more.title = "More controls";
  more.setAttribute("aria-label", "More controls");
  more.addEventListener("click", () => bar.classList.toggle("ow-all"));
  return bar;
}

/** Labelled selection; `choices` are [value, text]; `chosen` is called with the value. Returns the element. */
export function selection(bar, text, choices, value, chosen) {
  const select = document.createElement("select");
  fillSelection(select, choices, value);
  select.addEventListener("change", () => chosen(select.value));
  labelledControl(bar, text, select);
  return select;
}

/** Puts other choices into a selection; a value that is none of them is added. */
export function fillSelection(select, choices, value) {
  const all = choices.some(([known]) => String(known) === String(value)) ? choices : [...choices, [value, String(value)]];
  select.replaceChildren(
    ...all.map(([known, said]) => {
      const option = document.createElement("option");
      option.value = String(known);
      option.textContent = said;
      return option;
    }),
  );
  select.value = String(value);
}

/** Labelled number of at least `least`; `chosen` is called with the number once it is one. */
export function numberField(bar, text, value, least, chosen) {
  const input = document.createElement("input");
  input.type = "number";
  input.min = String(least);
  input.step = "any";
  input.value = String(value);
  input.addEventListener("change", () => {
    const number = Number(input.value);
    if (input.value !== "" && number >= least) chosen(number);
    else input.value = String(value);
  });
  labelledControl(bar, text, input);
  return input;
}

/** Labelled line of text; `chosen` is called with it once it was changed. */
export function textField(bar, text, value, hint, chosen) {
  const input = document.createElement("input");
  input.type = "text";
  input.value = value;
  input.placeholder = hint;
  input.spellcheck = false;
  input.addEventListener("change", () => chosen(input.value.trim()));
  labelledControl(bar, text, input);
  return input;
}

function labelledControl(bar, text, control) {
  const label = bar.appendChild(document.createElement("label"));
  const span = label.appendChild(document.createElement("span"));
  span.textContent = text;
  label.appendChild(control);
}
