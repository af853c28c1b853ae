/** The program of one machine. Its code is that of a single process; the environment configures the backend. */
import { createCounter, createHistogram, loadBackend } from 'metheus';
import { TqdmPromProxy } from 'metheus/progress';

const orders = createCounter('orders_total', 'Orders taken.', { requiredLabels: ['country'] });
const sizes = createHistogram('order_items', 'Items of an order.', { buckets: [1, 3, 10] });

const COUNTRIES = ['de', 'fr', 'fr'];

const count = Number(process.argv[2]);
const proxy = new TqdmPromProxy({ name: 'orders' });
for (const i of proxy.tqdm(count, { desc: 'Taking orders', unit: 'order', disable: true })) {
  orders.labels({ country: COUNTRIES[i % COUNTRIES.length]! }).inc();
  sizes.observe(1 + (i % 5));
}

// Optional, since a program that ends by itself flushes. Here it makes the program fail when Redis is unavailable.
const backend = await loadBackend();
await backend.flush();
console.log(`${count} orders counted in ${process.cwd()}`);
