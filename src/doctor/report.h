/* report: what the doctor found, line by line: pass, fail, or left out; the number measured, the cause in
 * words and the setting that cures it. Printed as it comes, or as one JSON document at the end.
 */
#pragma once
#include "base/json.h"

enum verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_LEFT_OUT };

struct report {
	bool json;
	unsigned passed, failed, left_out;
	struct buf out; /* JSON alone: the findings so far */
	struct jsonw w;
};

void report_begin(struct report *r, bool json);
/* Prints the end; the exit status: 0, or 1 when something failed. */
int report_end(struct report *r);

/* `measured` and `cure` may be NULL. */
void report_pass(struct report *r, const char *name, const char *measured, ...)
	PRINTF_LIKE(3, 4);
void report_fail(struct report *r, const char *name, const char *cure, const char *cause,
		 ...) PRINTF_LIKE(4, 5);
void report_leave_out(struct report *r, const char *name, const char *cure,
		      const char *cause, ...) PRINTF_LIKE(4, 5);
