import type { FastifyReply } from 'fastify';
import type { Config } from '../config/config.js';
import { ClientAddresses } from '../http/connections/client-address.js';
import { AnswerBudget } from './answer-budget.js';
import { AnswerRoom } from './answer-room.js';

/** What the answers of this process may hold: one budget, and whose share of it an answer is. */
export class Answers {
  readonly budget: AnswerBudget;
  readonly addresses: ClientAddresses;

  constructor({ limits, http }: Config) {
    this.budget = new AnswerBudget(limits.maxAnswersBytes);
    this.addresses = new ClientAddresses(http.trustedProxies);
  }

  /** For the answer to one request. It costs nothing before something large is asked for. */
  room(reply: FastifyReply): AnswerRoom {
    return new AnswerRoom(this, reply.raw);
  }
}
