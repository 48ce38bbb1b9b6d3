// A real OpenID provider (npm's oidc-provider, certified) for the tests: one client, a sign-in page, no consent page.
// argv[2]: a JSON file { web, port, issuer, client, jwks, accounts }. `accounts` is a file, read at each sign-in:
// { NAME: { password, claims } }.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const options = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { resolve } = createRequire(`${options.web}/package.json`);
const { Provider } = await import(pathToFileURL(resolve("oidc-provider")).href);

const accounts = () => JSON.parse(readFileSync(options.accounts, "utf8"));

const page = (title, body) =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body><h1>${title}</h1>${body}</body></html>`;

const provider = new Provider(options.issuer, {
  clients: [options.client],
  jwks: options.jwks,
  cookies: { keys: ["only for this test, and long enough"] },
  claims: { openid: ["sub"], profile: ["name", "preferred_username"], groups: ["groups"] },
  scopes: ["openid", "offline_access", "profile", "groups"],
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = page(
          "Sign out of Example Ltd?",
          `${form}<button type="submit" form="op.logoutForm" name="logout" value="yes">Yes, sign out</button>`,
        );
      },
    },
  },
  // It guards itself against requests to inner addresses; here everything is on this machine.
  fetch: (url, { dispatcher, ...request }) => fetch(url, request),
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, id) => {
    const account = Object.values(accounts()).find(({ claims }) => claims.sub === id);
    return account && { accountId: id, claims: () => account.claims };
  },
  loadExistingGrant: async (ctx) => {
    const { client, session } = ctx.oidc;
    const known = session.grantIdFor(client.clientId);
    if (known) return ctx.oidc.provider.Grant.find(known);
    const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope("openid profile groups");
    await grant.save();
    return grant;
  },
});

const answer = provider.callback();

async function interact(request, response) {
  await provider.interactionDetails(request, response);
  if (request.method === "GET") {
    response.writeHead(200, { "content-type": "text/html" });
    response.end(
      page(
        "Example Ltd",
        `<form method="post"><label>Name <input name="name"></label><label>Secret <input name="secret" type="password"></label>
         <button type="submit" name="answer" value="yes">Continue</button><button type="submit" name="answer" value="no">Cancel</button></form>`,
      ),
    );
    return;
  }
  let body = "";
  for await (const chunk of request) body += chunk;
  const form = new URLSearchParams(body);
  const account = accounts()[form.get("name")];
  const isRight = account && account.password === form.get("secret");
  const result =
    form.get("answer") === "yes" && isRight
      ? { login: { accountId: account.claims.sub } }
      : { error: "access_denied", error_description: "cancelled" };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

createServer((request, response) => {
  if (request.url === "/favicon.ico") return void response.writeHead(204).end();
  if (!request.url.startsWith("/interaction/")) return void answer(request, response);
  interact(request, response).catch((error) => {
    response.writeHead(400, { "content-type": "text/plain" });
    response.end(String(error));
  });
}).listen(options.port, "127.0.0.1", () => process.stdout.write("listening\n"));
