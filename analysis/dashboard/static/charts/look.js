// How charts look: the colours of the page, which is light or dark, and the numbers of its language.

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** The look of all charts, in the colours that the page has now. */
export const look = () => {
  const [ink, quiet, edge, accent] = ["text", "quiet", "edge", "accent"].map(colour);
  const category = ["accent", "second", "third", "bad", "fourth", "quiet"].map(colour);
  return {
    background: "transparent",
    font: "system-ui, sans-serif",
    axis: {
      labelColor: quiet, titleColor: quiet, gridColor: edge, domainColor: edge, tickColor: edge, labelLimit: 220,
    },
    legend: { labelColor: ink, orient: "bottom" },
    view: { stroke: null },
    range: { category, heatmap: [colour("heat-low"), colour("heat-high")] },
    mark: { color: accent, tooltip: { content: "data" } },
    style: {
      previous: { color: quiet, stroke: quiet, strokeWidth: 1.5, strokeDash: [2, 2] },
      incomplete: { color: accent, stroke: accent, strokeWidth: 2, strokeDash: [5, 4] },
      complete: { color: accent, stroke: accent, strokeWidth: 2 },
      period: { stroke: accent, fill: accent, strokeWidth: 2, size: 40, opacity: 1, filled: true },
      part: { fill: accent },
      point: { size: 60, filled: true, opacity: 0.7 },
      lost: { color: colour("bad"), fontSize: 11 },
      before: { color: ink, thickness: 2 },
      name: { color: ink, fontSize: 11, limit: 140 },
      cell: { stroke: colour("raised"), strokeWidth: 1 },
      openCell: { color: "transparent", stroke: quiet, strokeWidth: 1, strokeDash: [2, 2] },
      number: { color: ink, fontSize: 11 },
      node0: { color: accent, cursor: "pointer" },
      node1: { color: quiet },
      ribbon0: { color: accent, opacity: 0.25 },
      ribbon1: { color: quiet, opacity: 0.2 },
      nodeName: { color: ink, fontSize: 11, align: "left", baseline: "middle", dx: 4, cursor: "pointer" },
    },
  };
};

/** How numbers look on axes, as the language writes them. */
export const numbers = (language) => {
  const parts = new Intl.NumberFormat(language).formatToParts(1234567.8);
  const of = (type) => parts.find((part) => part.type === type)?.value ?? "";
  return { decimal: of("decimal"), thousands: of("group"), grouping: [3], currency: ["", ""] };
};
