/** Sizes, speeds and rewards: everything that a designer would want to turn. Units and seconds. */

export const FIELD = { width: 800, height: 600, top: 54, wall: 10 } as const;

export const WALL = {
  columns: 12,
  rows: 12,
  left: 40,
  top: 84,
  brickWidth: 56,
  brickHeight: 22,
  stepX: 60.4,
  stepY: 26,
} as const;

export const PADDLE = {
  y: 552,
  width: 120,
  wideWidth: 184,
  height: 24,
  speed: 780,
  acceleration: 7200,
  pointerGrip: 32,
  growth: 9,
} as const;

export const BALL = {
  radius: 9,
  speed: 430,
  gain: 1.006,
  paddleGain: 1.012,
  topSpeed: 700,
  slowed: 0.62,
  steepest: 1.08,
  flattest: 0.2,
  boredAfter: 24,
  trail: 14,
} as const;

export const POWER = {
  chance: 0.17,
  fall: 150,
  size: 36,
  wide: 18,
  slow: 9,
  laser: 9,
  boltSpeed: 760,
  boltEvery: 0.32,
  points: 50,
} as const;

export const RULES = {
  lives: 3,
  mostLives: 6,
  mostBalls: 9,
  chainStep: 4,
  clearBonus: 500,
  banner: 1.7,
  /** For so long a press after the end does not start anew: it was meant for the ball. */
  breath: 0.7,
  step: 1 / 120,
  longestFrame: 0.1,
} as const;
