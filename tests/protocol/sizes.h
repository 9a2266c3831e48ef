/* What a search looks for, read from the environment once: one checker serves every size and every mutant. */
c_decl {
static int visits, mutant, probe;

static int size(const char *name)
{
    const char *said = getenv(name);
    return said == NULL ? 0 : atoi(said);
}
__attribute__((constructor)) static void read_sizes(void)
{
    visits = size("VISITS"); mutant = size("MUTANT"); probe = size("PROBE");
}
}
#define MUTANT(number) c_expr { mutant == number }
#define PROBE(number) c_expr { probe == number }
