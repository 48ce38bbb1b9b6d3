import { describe, expect, it } from "vitest";
import { refusal } from "./http";

const problem = {
  type: "/docs#problem-too_many",
  title: "A limit is reached",
  status: 429,
  detail: "Too many failed sign-ins: try again in 30 s.",
  code: "too_many",
  retryAfter: 30,
};

describe("a refusal", () => {
  it("says what the problem details say", async () => {
    const refused = await refusal(new Response(JSON.stringify(problem), { status: 429 }));
    expect(refused).toMatchObject({ status: 429, code: "too_many", message: problem.detail });
  });

  it("is known by its status where something between us and the server has answered", async () => {
    const refused = await refusal(new Response("<html>", { status: 502, statusText: "Bad Gateway" }));
    expect(refused).toMatchObject({ status: 502, code: "http_502", message: "Bad Gateway" });
  });
});
