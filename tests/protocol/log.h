/* Replay: a step is allowed only if it is the next one of the log, told with the same numbers.
 *
 * The log is a text file named by CHARGE_LOG: one step a line, eight whole numbers, the kind first.  pan reports
 * "complete" exactly when the model admits the whole of it.
 */
c_decl {
#define MOST_STEPS 20000
#define WORDS 8
static int words[MOST_STEPS + 1][WORDS]; /* after the last step zeros: no kind */
static int steps, furthest;

__attribute__((constructor)) static void read_log(void)
{
    const char *name = getenv("CHARGE_LOG");
    FILE *file = fopen(name == NULL ? "" : name, "r");
    int n, filled;
    if (file == NULL) { perror("CHARGE_LOG"); exit(2); }
    for (steps = 0; steps < MOST_STEPS; steps++) {
        for (n = filled = 0; n < WORDS; n++) filled += fscanf(file, "%d", &words[steps][n]) == 1;
        if (filled != WORDS) break; /* the end: what was read of it stays zero or is no kind */
    }
    fclose(file);
}
__attribute__((destructor)) static void tell(void) { printf("admitted %d of %d\n", furthest, steps); }
}

short at; /* how many steps of the log have been taken */
bit complete_log = 1;

#define LOG(n) c_expr { words[now.at][n] }
#define STEP1(name, a) (LOG(0) == name && LOG(1) == (a))
#define STEP2(name, a, b) (STEP1(name, a) && LOG(2) == (b))
#define STEP3(name, a, b, c) (STEP2(name, a, b) && LOG(3) == (c))
#define STEP4(name, a, b, c, d) (STEP3(name, a, b, c) && LOG(4) == (d))
#define STEP6(name, a, b, c, d, e, f) (STEP4(name, a, b, c, d) && LOG(5) == (e) && LOG(6) == (f))
#define NEXT at++; c_code { if (now.at > furthest) furthest = now.at; }
#define IF_NEW(condition) true /* a real log says and hears things twice */
#define ONLY_IN_A_LOG(...) __VA_ARGS__
#define IN_THE_SEARCH(...)
#define MUTANT(number) false
#define START_CHECKS run Replayed()

proctype Replayed() {
    atomic { c_expr { now.at == steps } -> assert(!complete_log) }
}
