/** A program of one machine. It counts as a program of one process would: where its numbers go, its environment says. */
import { createCounter, createHistogram, loadBackend } from 'metheus';

const orders = createCounter('orders_total', 'Orders taken.', { requiredLabels: ['country'] });
const sizes = createHistogram('order_items', 'Items of an order.', { buckets: [1, 3, 10] });

const COUNTRIES = ['de', 'fr', 'fr'];

const count = Number(process.argv[2]);
for (let i = 0; i < count; i++) {
  orders.labels({ country: COUNTRIES[i % COUNTRIES.length]! }).inc();
  sizes.observe(1 + (i % 5));
}

// Not needed: a program that ends by itself sends what is left. But now it fails when Redis did not get it.
const backend = await loadBackend();
await backend.flush();
console.log(`${count} orders counted in ${process.cwd()}`);
