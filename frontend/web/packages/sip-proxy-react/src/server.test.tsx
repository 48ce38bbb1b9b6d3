import { renderToString } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { SIPProxyProvider, useSIPCall, useSIPProxy } from "./index.js";

const Phone = () => {
  const { isConnected, isRegistered, call, client } = useSIPCall({ proxyUrl: "https://pbx.example" });
  return <p>{JSON.stringify({ isConnected, isRegistered, call, client })}</p>;
};

const Relative = () => <p>{useSIPProxy({}).client === null ? "none" : "one"}</p>;

describe("on a server", () => {
  it("renders a phone that does nothing yet", () => {
    expect(typeof window).toBe("undefined");
    expect(renderToString(<Phone />)).toContain("isConnected&quot;:false");
    expect(renderToString(<Relative />)).toContain("none");
    expect(
      renderToString(
        <SIPProxyProvider client={null}>
          <Phone />
        </SIPProxyProvider>,
      ),
    ).toContain("client&quot;:null");
  });
});
