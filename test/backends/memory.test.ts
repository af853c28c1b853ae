/** SingleProcessBackend keeps the contract. */

import { SingleProcessBackend } from 'metheus';
import { backendContract } from './contract.js';

backendContract('SingleProcessBackend', async () => new SingleProcessBackend());
