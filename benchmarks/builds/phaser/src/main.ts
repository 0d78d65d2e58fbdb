import { AUTO, Game } from "phaser";
import { Sky } from "./sky";

new Game({ type: AUTO, width: 640, height: 360, backgroundColor: "#101020", scene: [Sky] });
