/** `metheus/collectors`: what collectors of one's own make their families with. */
export { createFamily } from '../model/create-family.js';
