#include "doctor/report.h"

#include <stdio.h>
#include <unistd.h>

#define TEXT_MAX 1024

void report_begin(struct report *r, bool json)
{
	*r = (struct report){ .json = json };
	buf_init(&r->out, 1 << 20);
	json_begin(&r->w, &r->out);
	json_object(&r->w);
	json_key(&r->w, SLICE("findings"));
	json_array(&r->w);
}

static const char *const words[] = { "pass", "fail", "left out" };

static const char *colour(enum verdict v)
{
	static const char *const colours[] = { "\033[32m", "\033[31m", "\033[2m" };

	return isatty(STDOUT_FILENO) ? colours[v] : "";
}

static void print_line(enum verdict v, const char *name, struct slice text,
		       const char *cure)
{
	printf("  %s%-8s%s  %-28s %.*s\n", colour(v), words[v],
	       isatty(STDOUT_FILENO) ? "\033[0m" : "", name, SLICE_FMT(text));
	if (cure)
		printf("  %-8s  %-28s cure: %s\n", "", "", cure);
	fflush(stdout);
}

static void put_json(struct report *r, enum verdict v, const char *name,
		     struct slice text, const char *cure)
{
	json_object(&r->w);
	json_field_string(&r->w, "check", slice_str(name));
	json_field_string(&r->w, "verdict", slice_str(words[v]));
	json_field_string(&r->w, v == VERDICT_PASS ? "measured" : "cause", text);
	if (cure)
		json_field_string(&r->w, "cure", slice_str(cure));
	json_object_end(&r->w);
}

static void put(struct report *r, enum verdict v, const char *name, const char *cure,
		const char *format, va_list ap)
{
	struct buf text = BUF_INIT(TEXT_MAX);

	buf_vprintf(&text, format, ap);
	if (r->json)
		put_json(r, v, name, buf_slice(&text), cure);
	else
		print_line(v, name, buf_slice(&text), cure);
	buf_fini(&text);
}

void report_pass(struct report *r, const char *name, const char *measured, ...)
{
	va_list ap;

	va_start(ap, measured);
	put(r, VERDICT_PASS, name, NULL, measured, ap);
	va_end(ap);
	r->passed++;
}

void report_fail(struct report *r, const char *name, const char *cure, const char *cause,
		 ...)
{
	va_list ap;

	va_start(ap, cause);
	put(r, VERDICT_FAIL, name, cure, cause, ap);
	va_end(ap);
	r->failed++;
}

void report_leave_out(struct report *r, const char *name, const char *cure,
		      const char *cause, ...)
{
	va_list ap;

	va_start(ap, cause);
	put(r, VERDICT_LEFT_OUT, name, cure, cause, ap);
	va_end(ap);
	r->left_out++;
}

int report_end(struct report *r)
{
	json_array_end(&r->w);
	json_field_u64(&r->w, "passed", r->passed);
	json_field_u64(&r->w, "failed", r->failed);
	json_field_u64(&r->w, "leftOut", r->left_out);
	json_object_end(&r->w);
	if (r->json)
		printf("%.*s\n", SLICE_FMT(buf_slice(&r->out)));
	else
		printf("\n  %u passed, %u failed, %u left out\n", r->passed, r->failed,
		       r->left_out);
	buf_fini(&r->out);
	return r->failed ? 1 : 0;
}
