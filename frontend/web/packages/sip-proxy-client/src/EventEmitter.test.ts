import { beforeEach, describe, expect, it, vi } from "vitest";
import { EventEmitter } from "./EventEmitter.js";

class Bell extends EventEmitter<{ rings: [times: number] }> {
  ring(times: number): void {
    this.emit("rings", times);
  }
}

let bell: Bell;
let reported: unknown[];
beforeEach(() => {
  [bell, reported] = [new Bell(), []];
  vi.stubGlobal("reportError", (error: unknown) => reported.push(error));
});

describe("an emitter", () => {
  it("tells in the order of listening, until it is to stop", () => {
    const heard: string[] = [];
    const stop = bell.on("rings", (times) => heard.push(`one ${times}`));
    bell.on("rings", (times) => heard.push(`two ${times}`));
    bell.ring(1);
    stop();
    bell.ring(2);
    expect(heard).toEqual(["one 1", "two 1", "two 2"]);
  });

  it("tells once, also where that rings again", () => {
    const heard: number[] = [];
    bell.once("rings", (times) => {
      heard.push(times);
      bell.ring(times + 1);
    });
    bell.ring(1);
    expect(heard).toEqual([1]);
  });

  it("stops by `off` what began by `once`", () => {
    const listener = vi.fn();
    bell.once("rings", listener);
    bell.off("rings", listener);
    bell.ring(1);
    expect(listener).not.toHaveBeenCalled();
  });

  it("tells no one who was taken off by one before", () => {
    const listener = vi.fn();
    bell.on("rings", () => bell.off("rings", listener));
    bell.on("rings", listener);
    bell.ring(1);
    expect(listener).not.toHaveBeenCalled();
  });

  it("tells the others where one throws", () => {
    const error = new Error("mine");
    const listener = vi.fn();
    bell.on("rings", () => {
      throw error;
    });
    bell.on("rings", listener);
    bell.ring(1);
    expect(listener).toHaveBeenCalledWith(1);
    expect(reported).toEqual([error]);
  });

  it("goes on where nothing can be reported", () => {
    vi.stubGlobal("reportError", undefined);
    const said = vi.spyOn(console, "error").mockReturnValue();
    bell.on("rings", () => {
      throw new Error("mine");
    });
    bell.ring(1);
    expect(said).toHaveBeenCalledOnce();
  });
});
