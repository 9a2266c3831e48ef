/* The charge model follows a log: its sizes, its numbers, and what it compares at each step. */
#include "log.h"
#define SEQS 90
#define ROWS 160
#define STORES 8
#define SALES 60
#define KEYS SALES

#define VISITS (SALES - 1)
#define MOST_RESTORES 9
#define SIZES power_cuts = 250; rollbacks = 9; clones = 1; restores = MOST_RESTORES
#define SHOW_OUTCOME(outcome) (LOG(4) == outcome)
#define SHOW_ROWS (LOG(5) == rows_made)
#define CHECK_FREED(seq_, word_)                                                                                    \
    j = 0;                                                                                                          \
    for (i : 1 .. seq_) { if :: !L.freed[i] -> j++ :: else fi };                                                    \
    (LOG(word_) == (L.row[seq_] == NONE -> 0 : j))
#define CHECK_FREED_ONE(seq_) (LOG(3) == !L.freed[seq_])
#define FREES_NOTHING (LOG(3) == 0)
#define CHECK_MARK(row_) (LOG(2) == mark[rows[row_].store])
#define WITHIN_WINDOW(seq_)                                                                                         \
    j = 0;                                                                                                          \
    for (i : 1 .. seq_ - 1) { if :: !L.freed[i] -> j++ :: else fi };                                                \
    (j < WINDOW)
#define ANSWER LOG(2) /* a hello heard twice is answered twice, and the answers may overtake each other */
#define ANSWERS(m) ((SEQ_OF(m) >= SEQ_OF(S.answer) || restores < MOST_RESTORES) && (m == NONE || (IS_MARKED(m) && OURS_STORE(m))))
#define OURS_STORE(m) (rows[m].store == L.store)
#define KEEP_ANSWER(who)                                                                                            \
    if :: sender[who].answer == SILENT -> sender[who].answer = mark[ledger[who].store] :: else fi
#define STUCK_IS_FOR_A_PERSON true
/* The numbers of the log. */
#define Opened 1
#define Unlocked 2
#define Closed 3
#define Hello 4
#define Sent 5
#define Puback 6
#define Stored 7
#define Duplicate 8
#define AckSaid 9
#define SingleSaid 10
#define WelcomeSaid 11
#define StaleSaid 12
#define AckHeard 13
#define SingleHeard 14
#define WelcomeHeard 15
#define ForeignHeard 16
#define PowerCut 17
#define Offline 18
#define Copied 19
#define PutBack 20
#define Cloned 21
#define CloudCrash 22
#define CloudCopied 23
#define CloudRestored 24
#define Charged 25

/* What a welcome leads to. */
#define WELCOMED 1
#define REOPENED 2
#define DOUBTED 3
#define SPLIT 4
#define STUCK 5

/* The indexes come from the log: no need to try each. */
#define EACH_SEQ(step) step(rows[LOG(2)].seq)
#define EACH_ROW(step) step(LOG(2))
#define EACH_ARRIVAL(step) step(LOG(1))
#define EACH_CABINET(step) step(LOG(1))
