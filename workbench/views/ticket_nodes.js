// Small parts of a trading panel. Everything is text; nothing is read as markup.

/** Element of a panel. */
export function ticketNode(tag, parent, name = "", text = "") {
  const node = parent.appendChild(document.createElement(tag));
  if (name) node.className = name;
  if (text) node.textContent = text;
  return node;
}

/** Button with a title. */
export function ticketButton(parent, text, title, run, name = "") {
  const node = ticketNode("button", parent, name, text);
  node.type = "button";
  node.title = title;
  node.addEventListener("click", run);
  return node;
}

/** Number with a label; `changed(input)` is called when somebody has typed. */
export function ticketNumber(parent, text, title, changed) {
  const label = ticketNode("label", parent);
  if (text) ticketNode("span", label, "", text);
  const input = ticketNode("input", label);
  Object.assign(input, { type: "number", step: "any", min: 0, title });
  input.setAttribute("aria-label", title);
  input.addEventListener("change", () => changed(input));
  return input;
}

/** Box to be ticked; `changed(on)`. */
export function ticketCheck(parent, text, title, changed) {
  const label = ticketNode("label", parent);
  label.title = title;
  const input = ticketNode("input", label);
  input.type = "checkbox";
  input.addEventListener("change", () => changed(input.checked));
  ticketNode("span", label, "", text);
  return input;
}

/** List of names and texts that changes only where they do. */
export function ticketPairs(list, pairs) {
  while (list.children.length > pairs.length) list.lastChild.remove();
  pairs.forEach(([name, text], place) => {
    const pair = list.children[place] ?? ticketNode("div", list);
    const [dt, dd] = pair.children.length ? pair.children : [ticketNode("dt", pair), ticketNode("dd", pair)];
    writeText(dt, name);
    writeText(dd, text);
  });
}

export function writeText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
