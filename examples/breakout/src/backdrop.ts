/** The night behind the bricks: painted once for each size, then only copied. */

import { FIELD } from "./config";

const STARS = 90;
const INK = "#0b1024";

export function paintBackdrop(scale: number): HTMLCanvasElement {
  const sheet = document.createElement("canvas");
  sheet.width = Math.round(FIELD.width * scale);
  sheet.height = Math.round(FIELD.height * scale);
  const pen = sheet.getContext("2d");
  if (!pen) return sheet;
  pen.scale(scale, scale);
  paintSky(pen);
  paintStars(pen);
  paintHills(pen);
  paintFrame(pen);
  return sheet;
}

function paintSky(pen: CanvasRenderingContext2D): void {
  const sky = pen.createLinearGradient(0, 0, 0, FIELD.height);
  sky.addColorStop(0, "#141b3f");
  sky.addColorStop(0.55, "#1d1f52");
  sky.addColorStop(1, "#3a2358");
  pen.fillStyle = sky;
  pen.fillRect(0, 0, FIELD.width, FIELD.height);
  for (const [x, y, radius, colour] of [
    [170, 210, 300, "rgba(64, 120, 255, 0.20)"],
    [640, 330, 330, "rgba(230, 80, 190, 0.15)"],
    [420, 620, 300, "rgba(255, 150, 80, 0.20)"],
  ] as const) {
    const glow = pen.createRadialGradient(x, y, 0, x, y, radius);
    glow.addColorStop(0, colour);
    glow.addColorStop(1, "rgba(0, 0, 0, 0)");
    pen.fillStyle = glow;
    pen.fillRect(0, 0, FIELD.width, FIELD.height);
  }
}

/** The same sky each time: places come from a fixed sequence, not from chance. */
function paintStars(pen: CanvasRenderingContext2D): void {
  pen.fillStyle = "#ffffff";
  for (let n = 1; n <= STARS; n += 1) {
    const x = ((n * 0.754877666) % 1) * FIELD.width;
    const y = ((n * 0.569840296) % 1) * FIELD.height * 0.85;
    pen.globalAlpha = 0.1 + ((n * 7) % 10) / 26;
    pen.beginPath();
    pen.arc(x, y, n % 9 === 0 ? 1.5 : 0.8, 0, Math.PI * 2);
    pen.fill();
  }
  pen.globalAlpha = 1;
}

function paintHills(pen: CanvasRenderingContext2D): void {
  for (const [base, height, colour] of [
    [540, 34, "rgba(20, 16, 52, 0.55)"],
    [572, 24, "rgba(11, 12, 36, 0.75)"],
  ] as const) {
    pen.fillStyle = colour;
    pen.beginPath();
    pen.moveTo(0, FIELD.height);
    for (let x = 0; x <= FIELD.width; x += 10) {
      pen.lineTo(x, base - height * (Math.sin(x / 90 + base) * 0.6 + Math.sin(x / 37) * 0.3));
    }
    pen.lineTo(FIELD.width, FIELD.height);
    pen.fill();
  }
}

function paintFrame(pen: CanvasRenderingContext2D): void {
  const { width, height, top, wall } = FIELD;
  pen.fillStyle = INK;
  pen.fillRect(0, 0, width, top);
  pen.fillRect(0, 0, wall, height);
  pen.fillRect(width - wall, 0, wall, height);
  const edge = pen.createLinearGradient(0, top, 0, height);
  edge.addColorStop(0, "#6f8cff");
  edge.addColorStop(1, "rgba(111, 140, 255, 0.15)");
  pen.strokeStyle = edge;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.moveTo(wall, height);
  pen.lineTo(wall, top + 8);
  pen.quadraticCurveTo(wall, top, wall + 8, top);
  pen.lineTo(width - wall - 8, top);
  pen.quadraticCurveTo(width - wall, top, width - wall, top + 8);
  pen.lineTo(width - wall, height);
  pen.stroke();
}
