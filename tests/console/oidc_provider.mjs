// An OpenID provider that is not ours (npm oidc-provider), on a port of loopback that it chooses and says. Its own
// development pages ask for a login and believe any; the claims of each person come from the file named first.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

import Provider from "oidc-provider";

const { people, client, keys } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const claims = ["staff_id", "name", "organisation", "team", "agreement", "roles", "areas"];
const server = createServer((request, response) => answer(request, response));
let answer = (_, response) => response.end();

server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [client],
    jwks: { keys },
    claims: { openid: ["sub", ...claims], profile: ["name"] },
    conformIdTokenClaims: false,
    cookies: { keys: ["of a test, and of no secret"] },
    features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true }, backchannelLogout: { enabled: true } },
    pkce: { required: () => true },
    // Its own way to fetch refuses loopback, where the console of a test is.
    fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
    findAccount: (_, id) => (id in people ? { accountId: id, claims: () => ({ sub: id, ...people[id] }) } : undefined),
  });
  answer = provider.callback();
  console.log(`listening ${issuer}`);
});

process.on("SIGTERM", () => {
  server.closeAllConnections();
  server.close();
});
