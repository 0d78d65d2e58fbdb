/** Draws the field and everything in it. */

import { picture } from "./assets";
import { paintBackdrop } from "./backdrop";
import { BALL, FIELD, PADDLE, POWER, WALL } from "./config";
import { drawHud } from "./hud";
import type { Brick } from "./levels";
import { LABEL_LIFE } from "./particles";
import { powerColours } from "./powers";
import type { Ball, World } from "./world";

export interface Scene {
  readonly draw: (world: World, muted: boolean) => void;
}

const isCalm = matchMedia("(prefers-reduced-motion: reduce)");

export function createScene(canvas: HTMLCanvasElement): Scene {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser has no canvas to draw on.");
  const pen = context;
  let backdrop: HTMLCanvasElement | null = null;

  function fit(): number {
    const frame = canvas.getBoundingClientRect();
    const width = Math.max(1, Math.round(frame.width * Math.min(devicePixelRatio || 1, 3)));
    const height = Math.round((width * FIELD.height) / FIELD.width);
    const scale = width / FIELD.width;
    if (canvas.width !== width || canvas.height !== height || !backdrop) {
      canvas.width = width;
      canvas.height = height;
      backdrop = paintBackdrop(scale);
    }
    return scale;
  }

  function draw(world: World, muted: boolean): void {
    const scale = fit();
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    if (backdrop) pen.drawImage(backdrop, 0, 0, FIELD.width, FIELD.height);
    pen.save();
    if (!isCalm.matches && world.shake > 0.2) {
      pen.translate((Math.random() - 0.5) * world.shake, (Math.random() - 0.5) * world.shake);
    }
    drawField(pen, world);
    pen.restore();
    drawHud(pen, world, muted);
  }

  return { draw };
}

function drawField(pen: CanvasRenderingContext2D, world: World): void {
  for (const brick of world.bricks) drawBrick(pen, brick, world.levelTime);
  drawDrops(pen, world);
  drawBolts(pen, world);
  for (const ball of world.balls) drawBall(pen, ball);
  drawPaddle(pen, world);
  drawSparks(pen, world);
  drawLabels(pen, world);
}

/** A wall builds itself up, brick after brick, when its level opens. */
function drawBrick(pen: CanvasRenderingContext2D, brick: Brick, levelTime: number): void {
  const delay = brick.row * 0.045 + brick.column * 0.018;
  const shown = Math.max(0, Math.min(1, (levelTime - delay) / 0.3));
  if (shown === 0) return;
  const eased = 1 - (1 - shown) ** 3;
  const isCracked = brick.kind.hits > 1 && brick.hitsLeft < brick.kind.hits;
  const image = picture(isCracked ? `${brick.kind.sprite}-cracked` : brick.kind.sprite);
  const y = brick.y - 26 * (1 - eased);
  pen.globalAlpha = eased;
  if (image) pen.drawImage(image, brick.x, y, WALL.brickWidth, WALL.brickHeight);
  else fillBox(pen, brick.x, y, WALL.brickWidth, WALL.brickHeight, 5, brick.kind.colour);
  if (brick.flash > 0) {
    pen.globalAlpha = brick.flash * 0.75;
    fillBox(pen, brick.x, y, WALL.brickWidth, WALL.brickHeight, 5, "#ffffff");
  }
  pen.globalAlpha = 1;
}

function drawPaddle(pen: CanvasRenderingContext2D, world: World): void {
  const { x, y, width, bump } = world.paddle;
  const top = y + bump * 3;
  glow(pen, x, y + 14, width * 0.72, world.powers.laser > 0 ? "255, 150, 60" : "90, 190, 255", 0.3);
  const image = picture("paddle");
  const left = x - width / 2;
  if (image) drawStretched(pen, image, left, top, width);
  else fillBox(pen, left, top, width, PADDLE.height, 11, "#c7d4f5");
  if (world.powers.laser <= 0) return;
  for (const at of [left + 9, left + width - 17]) fillBox(pen, at, top - 7, 8, 11, 2, "#ffb057");
}

/** The ends keep their shape, only the middle of the picture grows. */
function drawStretched(
  pen: CanvasRenderingContext2D,
  image: HTMLImageElement,
  left: number,
  top: number,
  width: number,
): void {
  const unit = image.naturalWidth / PADDLE.width;
  const end = 28;
  const middle = PADDLE.width - 2 * end;
  const tall = image.naturalHeight;
  const { height } = PADDLE;
  pen.drawImage(image, 0, 0, end * unit, tall, left, top, end, height);
  const from = end * unit;
  pen.drawImage(image, from, 0, middle * unit, tall, left + end, top, width - 2 * end, height);
  const last = (PADDLE.width - end) * unit;
  pen.drawImage(image, last, 0, end * unit, tall, left + width - end, top, end, height);
}

function drawBall(pen: CanvasRenderingContext2D, ball: Ball): void {
  pen.fillStyle = "#8fe3ff";
  for (const [at, spot] of ball.trail.entries()) {
    const share = (at + 1) / (ball.trail.length + 1);
    pen.globalAlpha = share * 0.22;
    pen.beginPath();
    pen.arc(spot.x, spot.y, BALL.radius * (0.35 + share * 0.6), 0, Math.PI * 2);
    pen.fill();
  }
  pen.globalAlpha = 1;
  glow(pen, ball.x, ball.y, BALL.radius * 3.4, "130, 220, 255", 0.4);
  const image = picture("ball");
  const size = BALL.radius * 2;
  if (image) pen.drawImage(image, ball.x - BALL.radius, ball.y - BALL.radius, size, size);
  else fillBox(pen, ball.x - BALL.radius, ball.y - BALL.radius, size, size, BALL.radius, "#e8fbff");
}

function drawDrops(pen: CanvasRenderingContext2D, world: World): void {
  for (const drop of world.drops) {
    const x = drop.x + Math.sin(drop.age * 4) * 3;
    const size = POWER.size * Math.min(1, 0.4 + drop.age * 4);
    const tone = powerColours[drop.kind];
    const halo = size * 1.24;
    pen.globalAlpha = 0.28;
    fillBox(pen, x - halo / 2, drop.y - halo / 2, halo, halo, halo / 2, tone);
    pen.globalAlpha = 1;
    const image = picture(`power-${drop.kind}`);
    const [left, top] = [x - size / 2, drop.y - size / 2];
    if (image) pen.drawImage(image, left, top, size, size);
    else fillBox(pen, left, top, size, size, size / 2, tone);
  }
}

function drawBolts(pen: CanvasRenderingContext2D, world: World): void {
  for (const bolt of world.bolts) {
    glow(pen, bolt.x, bolt.y + 8, 18, "255, 160, 70", 0.5);
    fillBox(pen, bolt.x - 2, bolt.y - 4, 4, 22, 2, "#fff1d6");
  }
}

function drawSparks(pen: CanvasRenderingContext2D, world: World): void {
  for (const spark of world.sparks) {
    pen.globalAlpha = 1 - spark.age / spark.life;
    pen.fillStyle = spark.colour;
    pen.fillRect(spark.x - spark.size / 2, spark.y - spark.size / 2, spark.size, spark.size);
  }
  pen.globalAlpha = 1;
}

function drawLabels(pen: CanvasRenderingContext2D, world: World): void {
  pen.font = "700 15px 'Trebuchet MS', 'Segoe UI', system-ui, sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (const label of world.labels) {
    pen.globalAlpha = 1 - (label.age / LABEL_LIFE) ** 2;
    pen.fillStyle = "rgba(8, 10, 28, 0.7)";
    pen.fillText(label.text, label.x + 1, label.y + 1.5);
    pen.fillStyle = label.colour;
    pen.fillText(label.text, label.x, label.y);
  }
  pen.globalAlpha = 1;
}

function glow(
  pen: CanvasRenderingContext2D,
  x: number,
  y: number,
  radius: number,
  tone: string,
  strength: number,
): void {
  const light = pen.createRadialGradient(x, y, 0, x, y, radius);
  light.addColorStop(0, `rgba(${tone}, ${strength})`);
  light.addColorStop(1, `rgba(${tone}, 0)`);
  pen.fillStyle = light;
  pen.fillRect(x - radius, y - radius, radius * 2, radius * 2);
}

function fillBox(
  pen: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  radius: number,
  colour: string,
): void {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.roundRect(x, y, width, height, radius);
  pen.fill();
}
