/* Every order of steps of one payment.  Amounts: a hold of 2, charges of 0, 1 and 3. */
#include "sizes.h"
#define AMOUNT byte
#define KEYS 3
#define REQUESTS 9
#define INTENTS 6
#define HOLD 2
#define MOST_TRIES 1 /* five in the product */

#define STEP1(name, a) true
#define STEP2(name, a, b) true
#define STEP3(name, a, b, c) true
#define STEP6(name, a, b, c, d, e, f) true
#define NEXT skip
#define IF_NEW(condition) (condition)
#define ONLY_IN_A_LOG(...)
#define IN_THE_SEARCH(...) __VA_ARGS__
#define ONLY_IF(condition) skip
#define LOG_OR(word, otherwise) (otherwise)
#define AMOUNT_OF(word, otherwise) (otherwise)
#define ANSWER known_intent[REQUEST]
#define FORGETFUL (intents[call_intent].status == CAPTURED || intents[call_intent].status == CANCELED)
#define CHOICES \
    if :: may_lapse = 1 :: may_lapse = 0 fi; \
    if :: closes = 1 :: closes = 0 fi; \
    if :: decides = 1 :: decides = 0 fi
#define START_CHECKS run Rest()
#define CLOSED(charge_, doubt_, review_) \
    :: closes && !closed -> closed = 1; charged = charge_; priced = !doubt_; review = (doubt_ || review_); tries = 0
#define CHARGES(step) step(0, 0, 0) step(1, 0, 0) step(3, 0, 0) step(0, 1, 0)
#define DECIDED(price) :: decides && closed && review -> charged = (priced -> charged : price); priced = 1; review = 0
#define PRICES(step) step(0) step(3)
#define GRANT(n) \
    if \
    :: intents[n].status = HELD; intents[n].amount = call_amount \
    :: call_amount > 1 -> intents[n].status = HELD; intents[n].amount = 1 \
    :: intents[n].status = DECLINED; intents[n].amount = call_amount \
    fi
