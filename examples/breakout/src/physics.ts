/** How balls fly and what they bounce off. Tells what was hit; the rules decide what that means. */

import { BALL, FIELD, PADDLE, WALL } from "./config";
import type { Brick } from "./levels";
import type { Ball, Paddle } from "./world";

export type Hit =
  | { readonly what: "wall" }
  | { readonly what: "paddle" }
  | { readonly what: "brick"; readonly brick: Brick };

/** Moves one ball by one step and returns the first thing that it met. */
export function fly(ball: Ball, seconds: number, paddle: Paddle, bricks: Brick[]): Hit | null {
  ball.x += ball.vx * seconds;
  ball.y += ball.vy * seconds;
  if (bounceOffWalls(ball)) return { what: "wall" };
  if (bounceOffPaddle(ball, paddle)) return { what: "paddle" };
  const brick = nearest(ball, bricks);
  return brick && bounceOffBrick(ball, brick) ? { what: "brick", brick } : null;
}

export function isLost(ball: Ball): boolean {
  return ball.y - BALL.radius > FIELD.height;
}

export function speedOf(ball: Ball): number {
  return Math.hypot(ball.vx, ball.vy);
}

/** Sets the speed and keeps the way, but never so flat that the ball takes for ever. */
export function steer(ball: Ball, speed: number): void {
  const now = speedOf(ball) || 1;
  const least = BALL.flattest * speed;
  let vy = (ball.vy / now) * speed;
  if (Math.abs(vy) < least) vy = vy < 0 ? -least : least;
  ball.vx = Math.sign(ball.vx) * Math.sqrt(Math.max(speed * speed - vy * vy, 0));
  ball.vy = vy;
}

/** Turns the ball's way a little: a loop between bricks that nothing breaks must end. */
export function nudge(ball: Ball): void {
  const turn = (Math.random() - 0.5) * 0.7;
  const { vx, vy } = ball;
  ball.vx = vx * Math.cos(turn) - vy * Math.sin(turn);
  ball.vy = vx * Math.sin(turn) + vy * Math.cos(turn);
}

function bounceOffWalls(ball: Ball): boolean {
  const left = FIELD.wall + BALL.radius;
  const right = FIELD.width - left;
  const top = FIELD.top + BALL.radius;
  let hit = false;
  if ((ball.x < left && ball.vx < 0) || (ball.x > right && ball.vx > 0)) {
    ball.x = ball.x < left ? left : right;
    ball.vx = -ball.vx;
    hit = true;
  }
  if (ball.y < top && ball.vy < 0) {
    ball.y = top;
    ball.vy = -ball.vy;
    hit = true;
  }
  return hit;
}

/** The place of the hit sets the angle: flat from the edge, straight up from the middle. */
function bounceOffPaddle(ball: Ball, paddle: Paddle): boolean {
  const reach = paddle.width / 2 + BALL.radius;
  const away = ball.x - paddle.x;
  const level = ball.y + BALL.radius > paddle.y && ball.y < paddle.y + PADDLE.height;
  if (ball.vy <= 0 || !level || Math.abs(away) > reach) return false;
  const speed = speedOf(ball);
  const angle = Math.max(-1, Math.min(1, away / reach)) * BALL.steepest;
  ball.vx = Math.sin(angle) * speed;
  ball.vy = -Math.cos(angle) * speed;
  ball.y = paddle.y - BALL.radius;
  return true;
}

function gap(ball: Ball, brick: Brick): { x: number; y: number; distance: number } {
  const x = ball.x - Math.max(brick.x, Math.min(ball.x, brick.x + WALL.brickWidth));
  const y = ball.y - Math.max(brick.y, Math.min(ball.y, brick.y + WALL.brickHeight));
  return { x, y, distance: Math.hypot(x, y) };
}

/** Of several bricks that touch the ball, the closest is the one that was hit. */
function nearest(ball: Ball, bricks: Brick[]): Brick | null {
  let found: Brick | null = null;
  let least: number = BALL.radius;
  for (const brick of bricks) {
    const { distance } = gap(ball, brick);
    if (distance < least) {
      least = distance;
      found = brick;
    }
  }
  return found;
}

function bounceOffBrick(ball: Ball, brick: Brick): boolean {
  const { x, y, distance } = gap(ball, brick);
  const normal = distance > 0 ? { x: x / distance, y: y / distance } : wayOut(ball, brick);
  const into = ball.vx * normal.x + ball.vy * normal.y;
  if (into >= 0) return false;
  ball.vx -= 2 * into * normal.x;
  ball.vy -= 2 * into * normal.y;
  ball.x += normal.x * (BALL.radius - distance);
  ball.y += normal.y * (BALL.radius - distance);
  return true;
}

/** The shortest way out for a ball whose centre is inside the brick. */
function wayOut(ball: Ball, brick: Brick): { x: number; y: number } {
  const fromLeft = ball.x - brick.x;
  const fromTop = ball.y - brick.y;
  const acrossX = Math.min(fromLeft, WALL.brickWidth - fromLeft);
  const acrossY = Math.min(fromTop, WALL.brickHeight - fromTop);
  if (acrossX < acrossY) return { x: fromLeft < WALL.brickWidth / 2 ? -1 : 1, y: 0 };
  return { x: 0, y: fromTop < WALL.brickHeight / 2 ? -1 : 1 };
}
