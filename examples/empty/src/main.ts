/** A canvas that fills the page, a clock, and a square that follows the arrow keys. */

const SPEED = 320;
const SIZE = 40;

const canvas = document.querySelector<HTMLCanvasElement>("#game");
const pen = canvas?.getContext("2d");
if (!canvas || !pen) throw new Error("The page has no canvas called game.");

const held = new Set<string>();
addEventListener("keydown", (event) => held.add(event.key));
addEventListener("keyup", (event) => held.delete(event.key));
addEventListener("blur", () => held.clear());

const square = { x: innerWidth / 2, y: innerHeight / 2 };
let last = performance.now();

function update(seconds: number): void {
  const across = Number(held.has("ArrowRight")) - Number(held.has("ArrowLeft"));
  const down = Number(held.has("ArrowDown")) - Number(held.has("ArrowUp"));
  square.x = Math.max(SIZE, Math.min(innerWidth - SIZE, square.x + across * SPEED * seconds));
  square.y = Math.max(SIZE, Math.min(innerHeight - SIZE, square.y + down * SPEED * seconds));
}

function draw(view: HTMLCanvasElement, brush: CanvasRenderingContext2D): void {
  const density = devicePixelRatio || 1;
  view.width = Math.round(innerWidth * density);
  view.height = Math.round(innerHeight * density);
  brush.scale(density, density);
  brush.fillStyle = "#ffb44a";
  brush.fillRect(square.x - SIZE / 2, square.y - SIZE / 2, SIZE, SIZE);
  brush.fillStyle = "#8d98c7";
  brush.font = "16px system-ui, sans-serif";
  brush.textAlign = "center";
  brush.fillText("Arrow keys move the square. Start in src/main.ts.", innerWidth / 2, 40);
}

const turn = (now: number): void => {
  update(Math.min((now - last) / 1000, 0.1));
  last = now;
  draw(canvas, pen);
  document.body.dataset["state"] = "playing";
  document.body.dataset["x"] = String(Math.round(square.x));
  requestAnimationFrame(turn);
};

requestAnimationFrame(turn);
