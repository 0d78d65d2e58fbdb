export default function sharp() {
  throw new Error("Pictures are not decoded here.");
}
