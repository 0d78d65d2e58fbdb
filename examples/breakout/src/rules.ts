/** The game itself: serve, break, score, lose, win. */

import { BALL, FIELD, PADDLE, RULES, WALL } from "./config";
import type { Brick } from "./levels";
import { levels } from "./levels";
import { burst, moveParticles, say } from "./particles";
import { fly, isLost, nudge, speedOf, steer } from "./physics";
import { maybeDrop, movePowers, paceOf } from "./powers";
import { ballSpeed, openLevel, restingHeight, serve, type Ball, type World } from "./world";

/** What the player wants at this moment. */
export interface Wish {
  /** -1 left, 1 right. */
  readonly way: number;
  /** Where the pointer wants the paddle, when it was the pointer that moved last. */
  readonly aim: number | null;
}

/** The one button: start, serve, go on, play again. */
export function act(world: World): void {
  const hasEnded = world.phase === "over" || world.phase === "won";
  if (world.paused) world.paused = false;
  else if (world.phase === "title" || (hasEnded && world.banner === 0)) begin(world);
  else if (world.phase === "playing" && !world.cleared) launch(world);
}

export function togglePause(world: World): void {
  if (world.phase === "playing") world.paused = !world.paused;
}

/** Moves the world on by one step of the clock. */
export function step(world: World, wish: Wish, seconds: number): void {
  world.time += seconds;
  if (world.paused) return;
  movePaddle(world, wish, seconds);
  moveParticles(world, seconds);
  world.levelTime += seconds;
  world.banner = Math.max(0, world.banner - seconds);
  if (world.phase !== "playing") return carryBalls(world);
  if (world.cleared) {
    if (world.banner === 0) advance(world);
    return;
  }
  carryBalls(world);
  for (const ball of world.balls) moveBall(world, ball, seconds);
  movePowers(world, seconds);
  strikeWithBolts(world);
  dropLostBalls(world);
  if (world.bricks.every((brick) => brick.kind.hits === 0)) clear(world);
}

function begin(world: World): void {
  world.phase = "playing";
  world.paused = false;
  world.score = 0;
  world.lives = RULES.lives;
  openLevel(world, 0);
}

function launch(world: World): void {
  for (const ball of world.balls) {
    if (ball.heldAt === null) continue;
    const speed = ballSpeed(world);
    const angle = ball.heldAt / world.paddle.width + world.paddle.vx / 4000;
    ball.vx = Math.sin(angle) * speed;
    ball.vy = -Math.cos(angle) * speed;
    ball.heldAt = null;
    world.cues.push("bounce");
  }
}

function movePaddle(world: World, wish: Wish, seconds: number): void {
  const { paddle } = world;
  const full = world.powers.wide > 0 ? PADDLE.wideWidth : PADDLE.width;
  paddle.width += (full - paddle.width) * Math.min(1, PADDLE.growth * seconds);
  const before = paddle.x;
  if (wish.way !== 0) {
    const turned = Math.sign(paddle.vx) === -wish.way ? 0 : paddle.vx;
    const faster = turned + wish.way * PADDLE.acceleration * seconds;
    paddle.x += Math.max(-PADDLE.speed, Math.min(PADDLE.speed, faster)) * seconds;
  } else if (wish.aim !== null) {
    paddle.x += (wish.aim - paddle.x) * (1 - Math.exp(-PADDLE.pointerGrip * seconds));
  }
  const edge = FIELD.wall + paddle.width / 2;
  paddle.x = Math.max(edge, Math.min(FIELD.width - edge, paddle.x));
  paddle.vx = (paddle.x - before) / seconds;
}

function carryBalls(world: World): void {
  for (const ball of world.balls) {
    if (ball.heldAt === null) continue;
    ball.x = world.paddle.x + ball.heldAt;
    ball.y = restingHeight;
  }
}

function moveBall(world: World, ball: Ball, seconds: number): void {
  if (ball.heldAt !== null) return;
  ball.trail.push({ x: ball.x, y: ball.y });
  if (ball.trail.length > BALL.trail) ball.trail.shift();
  // Slow motion slows the clock of the ball, not the ball: its own speed comes back unharmed.
  const own = speedOf(ball) || 1;
  const hit = fly(ball, (seconds * paceOf(world, own)) / own, world.paddle, world.bricks);
  if (!hit) return;
  ball.bored += 1;
  if (hit.what === "paddle") returned(world, ball);
  else if (hit.what === "brick") struck(world, ball, hit.brick);
  else world.cues.push("bounce");
  if (ball.bored > BALL.boredAfter) {
    nudge(ball);
    ball.bored = 0;
  }
  steer(ball, Math.min(speedOf(ball), BALL.topSpeed));
}

function returned(world: World, ball: Ball): void {
  world.chain = 0;
  world.paddle.bump = 1;
  world.cues.push("bounce");
  burst(world, { x: ball.x, y: world.paddle.y }, "#9fe8ff", 5);
  steer(ball, speedOf(ball) * BALL.paddleGain);
}

function struck(world: World, ball: Ball, brick: Brick): void {
  if (brick.kind.hits > 0) {
    ball.bored = 0;
    steer(ball, speedOf(ball) * BALL.gain);
  }
  damage(world, brick);
}

/** One hit on a brick, by whatever struck it. */
function damage(world: World, brick: Brick): void {
  brick.flash = 1;
  const centre = { x: brick.x + WALL.brickWidth / 2, y: brick.y + WALL.brickHeight / 2 };
  if (brick.kind.hits > 0) brick.hitsLeft -= 1;
  if (brick.kind.hits === 0 || brick.hitsLeft > 0) {
    world.cues.push("bounce");
    burst(world, centre, brick.kind.colour, 4);
    return;
  }
  const times = 1 + Math.floor(world.chain / RULES.chainStep);
  const points = brick.kind.points * times;
  world.chain += 1;
  world.score += points;
  world.shake = Math.min(world.shake + 1.6, 5);
  world.cues.push("break");
  world.bricks = world.bricks.filter((other) => other !== brick);
  burst(world, centre, brick.kind.colour, 14);
  say(world, centre, times > 1 ? `${points}  ×${times}` : `${points}`, "#ffffff");
  maybeDrop(world, brick);
}

function strikeWithBolts(world: World): void {
  world.bolts = world.bolts.filter((bolt) => {
    const brick = world.bricks.find(
      ({ x, y }) =>
        bolt.x > x && bolt.x < x + WALL.brickWidth && bolt.y > y && bolt.y < y + WALL.brickHeight,
    );
    if (brick) damage(world, brick);
    return !brick;
  });
}

function dropLostBalls(world: World): void {
  world.balls = world.balls.filter((ball) => !isLost(ball));
  if (world.balls.length > 0) return;
  world.lives -= 1;
  world.shake = 9;
  world.cues.push("lose");
  burst(world, { x: world.paddle.x, y: world.paddle.y }, "#ff6f91", 26);
  serve(world);
  if (world.lives === 0) end(world, "over");
}

function clear(world: World): void {
  world.cleared = true;
  world.score += RULES.clearBonus;
  world.banner = RULES.banner;
  world.cues.push("win");
  for (const ball of world.balls) burst(world, ball, "#ffe08a", 30);
  world.balls = [];
  world.drops = [];
  world.bolts = [];
}

function advance(world: World): void {
  if (world.level + 1 < levels.length) openLevel(world, world.level + 1);
  else end(world, "won");
}

function end(world: World, phase: "over" | "won"): void {
  world.phase = phase;
  world.banner = RULES.breath;
  world.best = Math.max(world.best, world.score);
}
