import { GameObjects, Math as Numbers, Scene } from "phaser";

const STARS = 60;

export class Sky extends Scene {
  private stars: GameObjects.Arc[] = [];
  private caught = 0;
  private score?: GameObjects.Text;

  constructor() {
    super("sky");
  }

  create(): void {
    this.score = this.add.text(12, 10, "0", { fontSize: "20px" });
    for (let count = 0; count < STARS; count += 1) {
      const star = this.add.circle(Numbers.Between(0, 640), Numbers.Between(0, 360), 4, 0xffe08a);
      star.setInteractive();
      star.on("pointerdown", () => this.caughtOne(star));
      this.stars.push(star);
    }
  }

  override update(_: number, delta: number): void {
    for (const star of this.stars) {
      star.y = (star.y + delta * 0.05) % 360;
    }
  }

  private caughtOne(star: GameObjects.Arc): void {
    star.setPosition(Numbers.Between(0, 640), 0);
    this.caught += 1;
    this.score?.setText(String(this.caught));
  }
}
