// The scorecard as a table: a row for each horizon, each number with its interval; and what it is worth among all trials.

const CARD_COLUMNS = [
  { key: "net", title: "net", hint: "Mean result after costs, ticks", signed: true, zero: 0 },
  { key: "gross", title: "gross", hint: "Mean move from mid to mid, ticks", signed: true, zero: 0 },
  { key: "markout", title: "markout", hint: "From the price paid at the touch to the mid, ticks", signed: true, zero: 0 },
  { key: "hit", title: "hit", hint: "Share of moves the right way; no move counts half", percent: true, zero: 0.5 },
  { key: "ic", title: "IC", hint: "Rank correlation of score and move, at all times", signed: true, zero: 0 },
];

const CARD_RANKS = ["trials", "dsr", "psr", "pbo"];

/** A number with three digits and a sign that can be seen. */
export function cardNumber(value, { signed = false, percent = false } = {}) {
  if (value === null || value === undefined) return "–";
  if (percent) return `${(100 * value).toFixed(1)} %`;
  const size = Math.abs(value);
  const text = size >= 100 ? size.toFixed(0) : size >= 10 ? size.toFixed(1) : size.toFixed(size >= 1 ? 2 : 3);
  return `${value < 0 ? "−" : signed && value > 0 ? "+" : ""}${text}`;
}

/** Which way an interval speaks: +1 or −1 where it does not hold its zero, else 0. */
export function verdict(low, high, zero) {
  if (low === null || high === null || low === undefined || high === undefined) return 0;
  return low > zero ? 1 : high < zero ? -1 : 0;
}

/** Common scale of one column's intervals over all rows, its zero inside. */
export function cardSpan(rows, key, zero) {
  const known = rows.flatMap((row) => [row[key], row[`${key}_low`], row[`${key}_high`]]).filter((v) => v !== null && v !== undefined);
  const [low, high] = [Math.min(zero, ...known), Math.max(zero, ...known)];
  const room = (high - low || 1) * 0.06;
  return [low - room, high + room];
}

/** How long the study took, in words. */
export function tookText({ refused, busy, took_ms: took, read, count }) {
  if (refused) return refused;
  if (busy) return "computing …";
  if (took === undefined) return "";
  return `${Math.round(took)} ms${read ? ", reading included" : ""} · ${Number(count ?? 0).toLocaleString("en")} events read`;
}

/** What the result is worth, in parts; the number of trials always comes first. */
export function worthParts(study) {
  if (!study) return [];
  const { trials } = study;
  const parts = [
    {
      text: `${trials.toLocaleString("en")} trial${trials === 1 ? "" : "s"} on these data`,
      role: "trials",
      title: "Different settings that were tried, here and before: the more there were, the better the best one looks by luck",
    },
  ];
  const hints = {
    dsr: "Deflated Sharpe ratio: probability that the true Sharpe ratio is above what the best of so many trials would show by chance",
    psr: "Probability that the true Sharpe ratio is above 0, had this been the only trial",
    pbo: "Probability of backtest overfitting among comparable trials",
  };
  for (const key of CARD_RANKS.slice(1)) {
    const value = study[key];
    const known = value !== null && value !== undefined;
    const good = key === "pbo" ? value < 0.1 : value > 0.95;
    parts.push({ text: `${key.toUpperCase()} ${known ? value.toFixed(2) : "–"}${known && good ? " ✓" : ""}`, role: "calm", title: hints[key] });
  }
  const half = study.half_life;
  parts.push({
    text: `IC half-life ${half === null || half === undefined ? "–" : `${Number(half.toPrecision(3))} s`}`,
    role: "calm",
    title: "Time in which the information of the score halves; – where it does not decay",
  });
  return parts;
}

function cellOf(row, tag, text, name = "") {
  const cell = row.appendChild(document.createElement(tag));
  cell.textContent = text;
  if (name) cell.className = name;
  return cell;
}

/** Bar of an interval: what is left of its zero, where its value lies. */
function whiskers(cell, row, column, span) {
  const [value, low, high] = [row[column.key], row[`${column.key}_low`], row[`${column.key}_high`]];
  if (value === null || value === undefined) return;
  const at = (v) => `${(100 * (v - span[0])) / (span[1] - span[0])}%`;
  const bar = cell.appendChild(document.createElement("i"));
  bar.className = "ow-whisker";
  const zero = bar.appendChild(document.createElement("i"));
  zero.className = "ow-zero";
  zero.style.left = at(column.zero);
  if (low !== null && high !== null) {
    const line = bar.appendChild(document.createElement("i"));
    line.className = "ow-range";
    line.style.left = at(low);
    line.style.width = `${(100 * (high - low)) / (span[1] - span[0])}%`;
  }
  const dot = bar.appendChild(document.createElement("i"));
  dot.className = "ow-dot";
  dot.style.left = at(value);
}

export function fillCard(table, study) {
  table.replaceChildren();
  if (!study) return;
  const head = table.appendChild(document.createElement("thead")).appendChild(document.createElement("tr"));
  cellOf(head, "th", "after");
  cellOf(head, "th", "events");
  for (const { title, hint } of CARD_COLUMNS) cellOf(head, "th", title).title = `${hint}, with its 95 % interval`;
  cellOf(head, "th", "MFE").title = "Mean of the best move until then, ticks";
  cellOf(head, "th", "MAE").title = "Mean of the worst move until then, ticks";
  const body = table.appendChild(document.createElement("tbody"));
  const spans = CARD_COLUMNS.map(({ key, zero }) => cardSpan(study.card, key, zero));
  for (const row of study.card) {
    const line = body.appendChild(document.createElement("tr"));
    cellOf(line, "th", row.horizon);
    cellOf(line, "td", row.events.toLocaleString("en"));
    CARD_COLUMNS.forEach((column, n) => {
      const speaks = verdict(row[`${column.key}_low`], row[`${column.key}_high`], column.zero);
      const cell = cellOf(line, "td", "", speaks > 0 ? "ow-plus" : speaks < 0 ? "ow-minus" : "ow-unsure");
      cellOf(cell, "b", cardNumber(row[column.key], column));
      const [low, high] = ["low", "high"].map((end) => cardNumber(row[`${column.key}_${end}`], column));
      cell.title = `${column.hint}: 95 % interval ${low} to ${high}`;
      whiskers(cell, row, column, spans[n]);
    });
    cellOf(line, "td", cardNumber(row.mfe, { signed: true }));
    cellOf(line, "td", cardNumber(row.mae, { signed: true }));
  }
}

export function fillRegimes(table, study) {
  table.replaceChildren();
  if (!study?.regimes?.length) return;
  const head = table.appendChild(document.createElement("thead")).appendChild(document.createElement("tr"));
  for (const [title, hint] of [["by", "Regime at the entry"], ["", ""], ["events", ""], ["net", "Mean result at the main horizon, ticks"], ["won", "Share of gains"]]) {
    cellOf(head, "th", title).title = hint;
  }
  const body = table.appendChild(document.createElement("tbody"));
  let before = "";
  for (const { by, value, events, net, won } of study.regimes) {
    const line = body.appendChild(document.createElement("tr"));
    cellOf(line, "th", by === before ? "" : by);
    before = by;
    cellOf(line, "td", value, "ow-word");
    cellOf(line, "td", events.toLocaleString("en"));
    cellOf(line, "td", cardNumber(net, { signed: true }), net > 0 ? "ow-plus" : net < 0 ? "ow-minus" : "");
    cellOf(line, "td", cardNumber(won, { percent: true }));
  }
}
