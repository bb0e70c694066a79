// One visit through a Node SDK: node visit.mjs SDK URL KEY VIEWS. Prints how many calls it made; fails if one was lost.
import { createRequire } from 'node:module'

const [sdk, url, key, views] = process.argv.slice(2)
const load = createRequire(import.meta.url)
const who = { userId: 'login-of-ada', anonymousId: 'browser-of-ada' }
const failures = []

function segment() {
  const { Analytics } = load('@segment/analytics-node')
  const client = new Analytics({ writeKey: key, host: url, flushAt: 10, flushInterval: 200 })
  client.on('error', (error) => failures.push(error.code))
  const consent = { consent: { categoryPreferences: { Analytics: true, Advertising: false } } }
  return { client, consent, end: () => client.closeAndFlush({ timeout: 60000 }) }
}

function rudder() {
  const Analytics = load('@rudderstack/rudder-sdk-node')
  const errorHandler = (error) => failures.push(error.code)
  const client = new Analytics(key, { dataPlaneUrl: url, flushAt: 10, flushInterval: 200, errorHandler })
  const end = async () => {
    while (client.queue.length) await client.flush()
    await client.flush()
  }
  const said = { provider: 'custom', allowedConsentIds: ['Analytics'], deniedConsentIds: ['Advertising'] }
  return { client, consent: { consentManagement: said }, end }
}

const { client, consent, end } = { '@segment/analytics-node': segment, '@rudderstack/rudder-sdk-node': rudder }[sdk]()

client.identify({ ...who, traits: { email: 'ada@people.example', plan: 'gold' }, context: consent })
client.group({ ...who, groupId: 'tea-circle', traits: { name: 'Tea circle' } })
client.alias({ previousId: 'browser-of-ada', userId: 'login-of-ada' })
client.page({ ...who, name: 'Home', properties: { path: '/' }, context: consent })
client.screen({ ...who, name: 'Start' })
for (let n = 0; n < Number(views); n++) {
  client.track({ ...who, event: 'Product Viewed', properties: { product_id: `tea-${n}` }, context: consent })
}
const products = [{ product_id: 'tea-1', quantity: 2 }]
const order = { order_id: 'o1', total: 4800, currency: 'JPY', products }
client.track({ ...who, event: 'Order Completed', properties: order })
await end()
if (failures.length) throw new Error(failures.join(', '))
console.log(Number(views) + 6)
