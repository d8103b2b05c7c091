// Bond of the views on one page: a shared cursor and a shared time range, without a word to any kernel.
//
// Every widget's script is a module of its own, so what they share hangs on the window, by the name of their group.

const ROOM = "__orderflow_bonds";

/** The views of one group on this page; made by the first one that asks. */
function membersOf(group) {
  const rooms = (globalThis[ROOM] ??= new Map());
  if (!rooms.has(group)) rooms.set(group, new Set());
  return rooms.get(group);
}

/**
 * One view's end of the bond.
 *
 * `heard(topic, value)` is called when another view of the group says something, never for one's own words. Topics:
 * `cursor` — `{ms, price}` (price in real units; either may be null) or null when the pointer has left;
 * `range` — `{leftMs, rightMs, follow}` of the time axis; `prices` — `{low, high}` in real units, with `symbol`;
 * `theme` — `"dark" | "light"`; `select` — what a click means to the others.
 */
export class Bond {
  constructor(group, heard) {
    this.group = group;
    this.heard = heard;
    this.members = membersOf(group);
    this.members.add(this);
  }

  tell(topic, value) {
    for (const member of this.members) {
      if (member === this) continue;
      try {
        member.heard(topic, value);
      } catch (error) {
        console.error("ow-bond:", error); // one view's fault must not silence the others
      }
    }
  }

  /** Whether somebody else is listening. */
  get shared() {
    return this.members.size > 1;
  }

  leave() {
    this.members.delete(this);
    if (!this.members.size) globalThis[ROOM]?.delete(this.group);
  }
}
