// What is drawn over a chart: limits as dashed lines, moments as labelled upright lines.
import { figure } from "./format.js";

export const LABEL_FONT = "12px system-ui, sans-serif";

/** A variable of the style sheet as a colour that a canvas understands, in the theme that is shown. */
export function colour(name, opacity = 1) {
  const probe = document.createElement("i");
  probe.style.color = `color-mix(in srgb, var(${name}) ${opacity * 100}%, transparent)`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

export function drawLimits(chart, limits) {
  limits.forEach((limit, index) => {
    const text = `limit ${figure(limit.value)} ${limit.unit}`;
    const isInside = limit.value <= chart.scales.y.max;
    const y = isInside ? chart.valToPos(limit.value, "y", true) : chart.bbox.top;
    paint(chart, colour("--blocked"), (canvas, ratio) => {
      if (isInside) stroke(canvas, [chart.bbox.left, y], [chart.bbox.left + chart.bbox.width, y]);
      canvas.textAlign = "right";
      const right = chart.bbox.left + chart.bbox.width - (isInside ? 4 : 4 + index * 110) * ratio;
      write(canvas, isInside ? text : `${text} ↑`, right, y - 4 * ratio);
    });
  });
}

export function drawMoments(chart, moments) {
  for (const { at, text } of moments) {
    if (at < chart.scales.x.min || at > chart.scales.x.max) continue;
    const x = chart.valToPos(at, "x", true);
    const { left, top, width, height } = chart.bbox;
    const isFarRight = x > left + width * 0.7;
    paint(chart, colour("--muted"), (canvas, ratio) => {
      stroke(canvas, [x, top], [x, top + height]);
      canvas.textAlign = isFarRight ? "right" : "left";
      write(canvas, text, x + (isFarRight ? -5 : 5) * ratio, top + 12 * ratio);
    });
  }
}

function paint(chart, ink, draw) {
  const ratio = devicePixelRatio;
  const canvas = chart.ctx;
  canvas.save();
  canvas.strokeStyle = canvas.fillStyle = ink;
  canvas.lineWidth = ratio;
  canvas.setLineDash([5 * ratio, 4 * ratio]);
  canvas.font = LABEL_FONT.replace("12px", `${12 * ratio}px`);
  draw(canvas, ratio);
  canvas.restore();
}

/** Words stay readable where lines cross them. */
function write(canvas, text, x, y) {
  const ink = canvas.fillStyle;
  canvas.setLineDash([]);
  canvas.strokeStyle = colour("--raised");
  canvas.lineWidth = 4 * devicePixelRatio;
  canvas.strokeText(text, x, y);
  canvas.fillStyle = ink;
  canvas.fillText(text, x, y);
}

function stroke(canvas, from, to) {
  canvas.beginPath();
  canvas.moveTo(...from);
  canvas.lineTo(...to);
  canvas.stroke();
}
