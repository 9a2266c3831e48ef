/* The payment model follows a log: what ingest told, the attempt rows of the books, and what the sandbox did. */
#include "log.h"
#define AMOUNT short
#define KEYS 40
#define REQUESTS 120
#define INTENTS 42
#define HOLD 0
#define MOST_TRIES 5

#define ONLY_IF(condition) (condition)
#define LOG_OR(word, otherwise) LOG(word)
#define AMOUNT_OF(word, otherwise) LOG(word)
#define ANSWER known_intent[REQUEST]
#define FORGETFUL false /* the sandbox refuses what it has done */
#define PROBE(number) false
#define CHOICES may_lapse = 1; closes = 1; decides = 1
#define CLOSED(charge_, doubt_, review_) \
    :: STEP3(Closed, charge_, doubt_, review_) && !closed -> \
       closed = 1; charged = charge_; priced = !doubt_; review = (doubt_ || review_); tries = 0
#define CHARGES(step) step(LOG(1), LOG(2), LOG(3))
#define DECIDED(price) :: STEP1(Decided, price) && closed && review -> \
    charged = (priced -> charged : price); priced = 1; review = 0
#define PRICES(step) step(LOG(1))
#define GRANT(n) intents[n].status = LOG(4); intents[n].amount = LOG(5); \
    (LOG(4) == DECLINED || (LOG(4) == HELD && LOG(5) > 0 && LOG(5) <= call_amount))

/* The numbers of the log. */
#define Asked 1
#define Abandoned 2
#define Opened 3
#define Closed 4
#define Alarmed 5
#define Decided 6
#define Late 7
#define Lapsing 8
#define Aged 9
#define Ended 10
#define Books 11
#define Begun 12
#define Posted 13
#define Answered 14
#define Looks 15
#define Again 16
#define Killed 17
#define Done 18
