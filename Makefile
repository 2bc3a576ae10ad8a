# storecredit: store credit kept right by the database itself.
#
#   make, make install, make installcheck   as every PGXS extension's
#   make demo [KEEP=1]                      everything from a fresh machine, then a tour on real input
#   make test                               everything from a fresh machine, then every test
#   make matrix                             every test on each supported PostgreSQL that Debian has
#   make deep                               the tests with sanitizer, and with assertions under valgrind
#   make bench                              what a call costs, beside a bare statement

EXTENSION  = storecredit
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(EXTENSION).control)

MODULE_big = $(EXTENSION)
OBJS       = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)))

SQL_PARTS  = $(sort $(wildcard sql/[0-9]*.sql))
DATA       = $(filter-out sql/$(EXTENSION)--$(EXTVERSION).sql,$(wildcard sql/$(EXTENSION)--*.sql))
DATA_built = sql/$(EXTENSION)--$(EXTVERSION).sql

REGRESS        = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS   = --inputdir=test --load-extension=$(EXTENSION)
ISOLATION      = empty_ledger $(filter-out empty_ledger,$(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec))))
ISOLATION_OPTS = --inputdir=test --outputdir=. --load-extension=$(EXTENSION)
TAP_TESTS      = 1
PROVE_TESTS    = test/t/*.pl

# These fetch what they need themselves, so they must run where there is not
# even a pg_config yet.
STANDALONE = demo test matrix deep bench

ifneq ($(filter-out $(STANDALONE),$(or $(MAKECMDGOALS),all)),)

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
ifeq ($(PGXS),)
$(error $(PG_CONFIG) did not run: install postgresql-server-dev, or name another one with PG_CONFIG=)
endif
include $(PGXS)

$(DATA_built): $(SQL_PARTS)
	cat $^ > $@

$(OBJS): $(wildcard src/*.h)

endif

.PHONY: $(STANDALONE)

demo:
	@bash test/lib/sandbox bash test/demo/play

test:
	@bash test/run

matrix:
	@bash test/matrix/run

deep:
	@bash test/deep/run

bench:
	@bash test/lib/sandbox --need perl --need valgrind bash test/bench/run
