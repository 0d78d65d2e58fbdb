/** Score, lives, and the words on the field. */

import { picture } from "./assets";
import { FIELD, POWER, RULES } from "./config";
import { MUTE_BUTTON } from "./input";
import { levels } from "./levels";
import { powerColours } from "./powers";
import type { World } from "./world";

const FACE = "'Trebuchet MS', 'Segoe UI', system-ui, sans-serif";
const MIDDLE = FIELD.width / 2;

type Pen = CanvasRenderingContext2D;

export function drawHud(pen: Pen, world: World, muted: boolean): void {
  drawScore(pen, world);
  drawLives(pen, world);
  drawPowers(pen, world);
  drawSpeaker(pen, muted);
  if (world.phase === "title") drawTitle(pen, world);
  else if (world.phase === "over") drawEnd(pen, world, "Game over", "The ball got away this time.");
  else if (world.phase === "won") drawEnd(pen, world, "You won!", "Not a brick is left standing.");
  else if (world.paused) drawPause(pen);
  else drawBanner(pen, world);
}

function write(
  pen: Pen,
  text: string,
  x: number,
  y: number,
  size: number,
  colour: string,
  align: CanvasTextAlign = "center",
  weight = 700,
): void {
  pen.font = `${weight} ${size}px ${FACE}`;
  pen.textAlign = align;
  pen.textBaseline = "middle";
  pen.fillStyle = colour;
  pen.fillText(text, x, y);
}

function drawScore(pen: Pen, world: World): void {
  write(pen, "SCORE", 22, 16, 11, "#8193d6", "left");
  write(pen, world.score.toLocaleString("en"), 22, 36, 22, "#ffffff", "left");
  const best = Math.max(world.best, world.score);
  write(pen, "BEST", 160, 16, 11, "#8193d6", "left");
  write(pen, best.toLocaleString("en"), 160, 36, 22, "#c8d2ff", "left");
  write(pen, `LEVEL ${world.level + 1} OF ${levels.length}`, MIDDLE, 16, 11, "#8193d6");
  write(pen, levels[world.level]?.name ?? "", MIDDLE, 36, 18, "#ffffff");
}

function drawLives(pen: Pen, world: World): void {
  const heart = picture("power-life");
  write(pen, "LIVES", 730, 16, 11, "#8193d6", "right");
  for (let n = 0; n < world.lives; n += 1) {
    const x = 712 - n * 21;
    if (heart) pen.drawImage(heart, x, 27, 19, 19);
    else write(pen, "♥", x + 9, 37, 18, "#ff6f91");
  }
}

/** A bar above the lower edge for each power that is passing. */
function drawPowers(pen: Pen, world: World): void {
  const active = (["wide", "slow", "laser"] as const).filter((name) => world.powers[name] > 0);
  for (const [at, name] of active.entries()) {
    const x = MIDDLE - active.length * 55 + at * 110;
    pen.fillStyle = "rgba(255, 255, 255, 0.14)";
    pen.fillRect(x + 5, 590, 100, 4);
    pen.fillStyle = powerColours[name];
    pen.fillRect(x + 5, 590, (100 * world.powers[name]) / POWER[name], 4);
  }
}

function drawSpeaker(pen: Pen, muted: boolean): void {
  const { x, y, size } = MUTE_BUTTON;
  const middle = y + size / 2;
  pen.strokeStyle = pen.fillStyle = muted ? "#5a689f" : "#c8d2ff";
  pen.lineWidth = 2;
  pen.lineCap = "round";
  pen.beginPath();
  pen.moveTo(x + 4, middle - 4);
  pen.lineTo(x + 9, middle - 4);
  pen.lineTo(x + 15, middle - 9);
  pen.lineTo(x + 15, middle + 9);
  pen.lineTo(x + 9, middle + 4);
  pen.lineTo(x + 4, middle + 4);
  pen.fill();
  pen.beginPath();
  if (muted) {
    pen.moveTo(x + 20, middle - 5);
    pen.lineTo(x + 30, middle + 5);
    pen.moveTo(x + 30, middle - 5);
    pen.lineTo(x + 20, middle + 5);
  } else {
    pen.arc(x + 15, middle, 6, -0.8, 0.8);
    pen.moveTo(x + 15 + 11 * Math.cos(-0.8), middle + 11 * Math.sin(-0.8));
    pen.arc(x + 15, middle, 11, -0.8, 0.8);
  }
  pen.stroke();
}

function veil(pen: Pen, top: number, height: number): void {
  const shade = pen.createLinearGradient(0, top, 0, top + height);
  shade.addColorStop(0, "rgba(8, 10, 28, 0)");
  shade.addColorStop(0.2, "rgba(8, 10, 28, 0.7)");
  shade.addColorStop(0.8, "rgba(8, 10, 28, 0.7)");
  shade.addColorStop(1, "rgba(8, 10, 28, 0)");
  pen.fillStyle = shade;
  pen.fillRect(FIELD.wall, top, FIELD.width - 2 * FIELD.wall, height);
}

/** Large letters, lit from within. */
function headline(pen: Pen, text: string, y: number, size: number): void {
  const fire = pen.createLinearGradient(0, y - size / 2, 0, y + size / 2);
  fire.addColorStop(0, "#fff3c9");
  fire.addColorStop(0.5, "#ffb44a");
  fire.addColorStop(1, "#ff5c7a");
  pen.save();
  pen.shadowColor = "rgba(255, 140, 70, 0.75)";
  pen.shadowBlur = 26 * (pen.canvas.width / FIELD.width);
  pen.font = `800 ${size}px ${FACE}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = fire;
  pen.fillText(text, MIDDLE, y, FIELD.width - 80);
  pen.restore();
}

function prompt(pen: Pen, world: World, text: string, y: number): void {
  pen.globalAlpha = 0.72 + 0.28 * Math.sin(world.time * 4);
  write(pen, text, MIDDLE, y, 20, "#ffffff");
  pen.globalAlpha = 1;
}

function drawTitle(pen: Pen, world: World): void {
  veil(pen, 230, 290);
  headline(pen, document.title.toUpperCase(), 318, 74);
  prompt(pen, world, "Press space, click or tap to play", 394);
  const keys = "← →  or the mouse moves    ·    P pauses    ·    M mutes";
  write(pen, keys, MIDDLE, 432, 15, "#aab6ea", "center", 500);
}

function drawEnd(pen: Pen, world: World, title: string, words: string): void {
  veil(pen, 190, 320);
  headline(pen, title, 270, 66);
  write(pen, words, MIDDLE, 326, 17, "#aab6ea", "center", 500);
  write(pen, world.score.toLocaleString("en"), MIDDLE, 368, 34, "#ffffff");
  const isBest = world.score > 0 && world.score >= world.best;
  const best = isBest ? "Your best yet" : `Best: ${world.best.toLocaleString("en")}`;
  write(pen, best, MIDDLE, 398, 14, isBest ? "#ffd27a" : "#8193d6");
  prompt(pen, world, "Press space, click or tap to play again", 440);
}

function drawPause(pen: Pen): void {
  veil(pen, 230, 220);
  headline(pen, "Paused", 322, 60);
  write(pen, "Space or P goes on", MIDDLE, 374, 17, "#c8d2ff", "center", 500);
}

function drawBanner(pen: Pen, world: World): void {
  const isServing = world.balls.some((ball) => ball.heldAt !== null);
  if (world.cleared) {
    veil(pen, 250, 190);
    headline(pen, "Level clear", 330, 54);
    write(pen, `+${RULES.clearBonus}`, MIDDLE, 378, 22, "#ffd27a");
  } else if (world.banner > 0) {
    pen.globalAlpha = Math.min(1, world.banner * 2);
    headline(pen, levels[world.level]?.name ?? "", 420, 44);
    pen.globalAlpha = 1;
  }
  if (isServing) prompt(pen, world, "Space or click: serve", 480);
}
