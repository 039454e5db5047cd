// Drives openid-client and oauth4webapi against a served provider. One JSON object on the
// first line of stdin says where and as whom; what only a browser can do is asked for on
// stdout ({"open": URL} or {"approve": CODE}) and answered by one line on stdin.
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const modules = process.argv[2]
const load = (name, file) => import(pathToFileURL(join(modules, name, 'build', file)).href)
const client = await load('openid-client', 'index.js')
const oauth = await load('oauth4webapi', 'index.js')
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const said = async () => JSON.parse((await lines.next()).value)
const say = (value) => process.stdout.write(JSON.stringify(value) + '\n')
const ask = async (value) => { say(value); return said() }
const given = await said()
const insecure = { execute: [client.allowInsecureRequests] }
const key = async (jwk) =>
  crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])

async function configuration(party) {
  const method = party.jwk
    ? client.PrivateKeyJwt(await key(party.jwk))
    : party.secret ? client.ClientSecretBasic(party.secret) : client.None()
  return client.discovery(new URL(given.issuer), party.id, undefined, method, insecure)
}

async function code(party, redirect) {
  const config = await configuration(party)
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const nonce = client.randomNonce()
  const parameters = {
    redirect_uri: redirect,
    scope: 'openid profile',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    acr_values: 'urn:secops:aal:2',
  }
  const url = await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP })
  const back = await ask({ open: url.href })
  const checks = {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
  }
  let tokens = await client.authorizationCodeGrant(
    config, new URL(back), checks, undefined, { DPoP })
  const identity = tokens.claims()
  const seen = new Set([tokens.refresh_token])
  const idToken = tokens.id_token
  for (let turn = 0; turn < given.refreshes; turn += 1) {
    tokens = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
    seen.add(tokens.refresh_token)
  }
  const person = await client.fetchUserInfo(config, tokens.access_token, identity.sub, { DPoP })
  const inspected = party.secret || party.jwk
    ? await client.tokenIntrospection(config, tokens.access_token) : { active: true }
  return { config, tokens, identity, person, inspected, idToken, refreshTokens: seen.size }
}

async function refused(work) {
  try {
    await work()
  } catch (error) {
    return error.error ?? error.code ?? String(error)
  }
  return 'accepted'
}

async function judge() {
  const report = {}
  for (const [name, party] of Object.entries(given.parties)) {
    const flow = await code(party, given.redirect)
    report[name] = {
      type: flow.tokens.token_type,
      acr: flow.identity.acr,
      name: flow.person.preferred_username,
      active: flow.inspected.active,
      refreshTokens: flow.refreshTokens,
    }
    if (party.logout) {
      const url = client.buildEndSessionUrl(flow.config, {
        id_token_hint: flow.idToken, post_logout_redirect_uri: given.bye, state: 'over',
      })
      const place = new URL(await ask({ open: url.href }))
      report[name].returned = place.origin + place.pathname + place.search
    } else {
      await client.tokenRevocation(flow.config, flow.tokens.refresh_token)
    }
    report[name].afterwards = await refused(
      () => client.refreshTokenGrant(flow.config, flow.tokens.refresh_token))
  }
  const config = await configuration(given.device)
  const started = await client.initiateDeviceAuthorization(config, { scope: 'openid' })
  await ask({ approve: started.user_code })
  const granted = await client.pollDeviceAuthorizationGrant(config, started)
  report.device = { type: granted.token_type, identity: granted.claims().acr }
  report.service = await ownToken()
  return report
}

async function ownToken() {
  const issuer = new URL(given.issuer)
  const options = { [oauth.allowInsecureRequests]: true }
  const server = await oauth.processDiscoveryResponse(
    issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm: 'oauth2' }))
  const party = { client_id: given.service.id }
  const authentication = oauth.PrivateKeyJwt(await key(given.service.jwk))
  const DPoP = oauth.DPoP(party, await oauth.generateKeyPair('ES256'))
  const answer = await oauth.clientCredentialsGrantRequest(
    server, party, authentication, new URLSearchParams({ scope: 'openid' }), { ...options, DPoP })
  const tokens = await oauth.processClientCredentialsResponse(server, party, answer)
  const asked = new Request('http://resource.example/', {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  })
  const bearer = await refused(
    () => oauth.validateJwtAccessToken(server, asked, 'secops-api', options))
  return { type: tokens.token_type, bearer }
}

say({ report: await judge() })
process.exit(0)
