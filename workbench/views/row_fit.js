// A view in a row of a workspace: its main part takes the height that the row has and the other parts leave.

/**
 * Says how high the main part of a view is. Alone it is `wanted` pixels high; in a row the style sheet lets it grow to
 * the row's height, or shrink to one that a hand has set. `changed(height)` is called after every change of size, of the
 * width too.
 */
export class RowFit {
  constructor(root, part, wanted, changed) {
    part.style.height = `${wanted}px`;
    part.classList.add("ow-main");
    this.observer = new ResizeObserver(() => changed(part.clientHeight || wanted));
    for (const one of [root, part]) this.observer.observe(one);
  }

  disconnect() {
    this.observer.disconnect();
  }
}
