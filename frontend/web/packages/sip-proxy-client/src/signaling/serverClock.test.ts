import { expect, it } from "vitest";
import { ServerClock } from "./serverClock.js";

const noon = Date.UTC(2026, 0, 15, 12) / 1000;
const date = (seconds: number): string => new Date(seconds * 1000).toUTCString();

it("shifts nothing where the clocks may agree", () => {
  const clock = new ServerClock();
  clock.onHttpDate(date(noon), noon * 1000 + 400, noon * 1000 + 450); // the header is cut to the second
  clock.onMessageTime(noon, noon * 1000 + 30); // half the way of a message
  expect(clock.toPage(noon)).toBe(noon * 1000);
});

it("shifts by no more than a second too little where the page's clock is ahead", () => {
  const clock = new ServerClock();
  clock.onHttpDate(date(noon), noon * 1000 + 60_500, noon * 1000 + 60_520);
  expect(clock.toPage(noon)).toBe(noon * 1000 + 59_500);
});

it("learns from a message that the page's clock is behind", () => {
  const clock = new ServerClock();
  clock.onMessageTime(noon, (noon - 30) * 1000);
  expect(clock.toPage(noon)).toBe((noon - 30) * 1000);
});

it("forgets what it knew when a clock was set", () => {
  const clock = new ServerClock();
  clock.onHttpDate(date(noon), noon * 1000, noon * 1000);
  clock.onHttpDate(date(noon + 5), (noon + 65) * 1000, (noon + 65) * 1000);
  expect(clock.toPage(noon)).toBe((noon + 59) * 1000);
});

it("knows nothing from a response without a date", () => {
  const clock = new ServerClock();
  clock.onHttpDate(null, 1, 2);
  expect(clock.toPage(noon)).toBe(noon * 1000);
});
