/** `SingleProcessBackend` passes the contract's suite. */

import { SingleProcessBackend } from 'metheus';
import { backendContract } from './contract.js';

backendContract('SingleProcessBackend', async () => new SingleProcessBackend());
