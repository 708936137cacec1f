/* openapi: the table of operations as an OpenAPI 3.1 document. */
#include "admin/api_call.h"

/* The answers; a member is as in parley.v1. */
static const struct {
	const char *name, *schema;
} schemas[] = {
	{ "Room",
	  "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},"
	  "\"members\":{\"type\":\"integer\",\"minimum\":0},"
	  "\"capacity\":{\"type\":\"integer\",\"minimum\":1},\"locked\":{\"type\":"
	  "\"boolean\"},"
	  "\"lobby\":{\"type\":\"boolean\"},\"ring\":{\"type\":"
	  "\"boolean\"},"
	  "\"seq\":{\"type\":\"integer\",\"description\":\"number of the last event\"},"
	  "\"madeAt\":{\"$ref\":\"#/components/schemas/Time\"}},"
	  "\"required\":[\"name\",\"members\",\"capacity\",\"ring\",\"seq\",\"madeAt\"]"
	  "}" },
	{ "RoomList",
	  "{\"type\":\"object\",\"properties\":{\"rooms\":{\"type\":\"array\",\"items\":"
	  "{\"$ref\":\"#/components/schemas/Room\"}},\"next\":{\"type\":\"string\","
	  "\"description\":\"there may be more: `after` of the next page\"}},"
	  "\"required\":[\"rooms\"]}" },
	{ "Member",
	  "{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\","
	  "\"pattern\":\"^m_[a-z2-7]{8}$\"},\"name\":{\"type\":\"string\"},"
	  "\"user\":{\"type\":\"string\"},\"role\":{\"enum\":[\"owner\",\"moderator\","
	  "\"speaker\",\"listener\"]},\"state\":{\"type\":\"object\","
	  "\"additionalProperties\":{\"type\":\"boolean\"}},\"metadata\":{\"type\":"
	  "\"object\"},"
	  "\"joinedAt\":{\"$ref\":\"#/components/schemas/Time\"}},"
	  "\"required\":[\"id\",\"name\",\"role\",\"state\",\"joinedAt\"]}" },
	{ "MemberList",
	  "{\"type\":\"object\",\"properties\":{\"members\":{\"type\":\"array\","
	  "\"items\":"
	  "{\"$ref\":\"#/components/schemas/Member\"}}},\"required\":[\"members\"]}" },
	{ "WaitingList",
	  "{\"type\":\"object\",\"properties\":{\"waiting\":{\"type\":\"array\","
	  "\"items\":"
	  "{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\"},"
	  "\"name\":{\"type\":\"string\"},\"user\":{\"type\":\"string\"},"
	  "\"metadata\":{\"type\":\"object\"}},\"required\":[\"id\",\"name\"]}}},"
	  "\"required\":[\"waiting\"]}" },
	{ "BanList",
	  "{\"type\":\"object\",\"properties\":{\"bans\":{\"type\":\"array\","
	  "\"items\":{\"type\":\"object\",\"properties\":{\"user\":{\"type\":"
	  "\"string\"},\"address\":{\"type\":\"string\"},\"name\":{\"type\":\"str"
	  "ing\"},\"until\":{\"$ref\":\"#/components/schemas/Time\"}},\"re"
	  "quired\":[\"until\"]}}},"
	  "\"required\":[\"bans\"]}" },
	{ "Message", "{\"type\":\"object\",\"properties\":{\"type\":{\"enum\":[\"chat\","
		     "\"edited\",\"deleted\",\"reacted\"]},\"from\":{\"type\":\"string\""
		     ",\"description\":\"a member's id\"},\"name\":{\"type\":\"string\"}"
		     ",\"user\":{\"type\":\"string\"},\"text\":{\"type\":\"string\"},\"t"
		     "ime\":{\"$ref\":\"#/components/schemas/Time\"},\"n\":{\"type\":\"i"
		     "nteger\",\"minimum\":1},\"epoch\":{\"type\":\"integer\"},\"of\":{"
		     "\"type\":\"integer\",\"description\":\"number of the message that "
		     "is changed\"},\"reply\":{\"type\":\"integer\"},\"key\":{\"type\":"
		     "\"string\"},\"files\":{\"type\":\"array\",\"items\":{\"type\":\"ob"
		     "ject\"}},\"reactions\":{\"type\":\"object\"},\"emoji\":{\"type\":"
		     "\"string\"},\"reader\":{\"type\":\"string\"},\"on\":{\"type\":\"bo"
		     "olean\"},\"edited\":{\"$ref\":\"#/components/schemas/Time\"},\"del"
		     "eted\":{\"type\":\"boolean\"}},\"required\":[\"type\",\"from\",\"n"
		     "\",\"time\"]}" },
	{ "MessageList",
	  "{\"type\":\"object\",\"properties\":{\"epoch\":{\"type\":\"integer"
	  "\",\"description\":\"numbers are comparable within one; 0: nothing"
	  " was said\"},\"messages\":{\"type\":\"array\",\"description\":\"ol"
	  "dest first\",\"items\":{\"$ref\":\"#/components/schemas/Message\"}"
	  "},\"more\":{\"type\":\"boolean\"}},\"required\":[\"epoch\",\"messa"
	  "ges\",\"more\"]}" },
	{ "VisitList",
	  "{\"type\":\"object\",\"properties\":{\"visits\":{\"type\":\"array"
	  "\",\"description\":\"oldest first\",\"items\":{\"type\":\"object\""
	  ",\"properties\":{\"visit\":{\"type\":\"integer\"},\"member\":{\"ty"
	  "pe\":\"string\"},\"name\":{\"type\":\"string\"},\"user\":{\"type\""
	  ":\"string\"},\"joinedAt\":{\"$ref\":\"#/components/schemas/Time\"}"
	  ",\"leftAt\":{\"$ref\":\"#/components/schemas/Time\"},\"reason\":{"
	  "\"type\":\"string\"}},\"required\":[\"visit\",\"member\",\"name\","
	  "\"joinedAt\"]}},\"more\":{\"type\":\"boolean\"}},\"required\":[\"v"
	  "isits\",\"more\"]}" },
	{ "Token",
	  "{\"type\":\"object\",\"properties\":{\"token\":{\"type\":\"string\"},"
	  "\"expires\":{\"type\":\"integer\",\"description\":\"seconds since 1970\"}},"
	  "\"required\":[\"token\",\"expires\"]}" },
	{ "File",
	  "{\"type\":\"object\",\"properties\":{\"file\":{\"type\":\"object\","
	  "\"properties\":{\"id\":{\"type\":\"string\",\"pattern\":\"^[a-z2-7]{26}$\"},"
	  "\"name\":{\"type\":\"string\"},\"type\":{\"type\":\"string\"},"
	  "\"size\":{\"type\":\"integer\",\"minimum\":0}},"
	  "\"required\":[\"id\",\"name\",\"type\",\"size\"]}},\"required\":[\"file\"]}" },
	{ "Time", "{\"type\":\"integer\",\"description\":\"milliseconds since 1970\"}" },
	{ "Error",
	  "{\"type\":\"object\",\"properties\":{\"error\":{\"type\":\"object\","
	  "\"properties\":"
	  "{\"code\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"},"
	  "\"detail\":{\"type\":\"string\"}},\"required\":[\"code\",\"message\"]}},"
	  "\"required\":[\"error\"]}" },
};

static void put_type(struct jsonw *w, const struct api_field *f)
{
	json_object(w);
	switch (f->kind) {
	case API_TEXT:
		json_field_string(w, "type", SLICE("string"));
		json_field_u64(w, "minLength", f->min);
		json_field_u64(w, "maxLength", f->max);
		break;
	case API_NUMBER:
		json_field_string(w, "type", SLICE("integer"));
		json_field_u64(w, "minimum", f->min);
		json_field_u64(w, "maximum", f->max);
		break;
	case API_BOOL:
		json_field_string(w, "type", SLICE("boolean"));
		break;
	case API_OBJECT:
		json_field_string(w, "type", SLICE("object"));
		break;
	case API_ROLE:
		json_field_raw(
			w, "enum",
			SLICE("[\"owner\",\"moderator\",\"speaker\",\"listener\"]"));
		break;
	case API_ANY:
		break;
	}
	json_field_string(w, "description", slice_str(f->help));
	json_object_end(w);
}

static void put_parameter(struct jsonw *w, struct slice name, const char *in,
			  const struct api_field *f)
{
	json_object(w);
	json_field_string(w, "name", name);
	json_field_string(w, "in", slice_str(in));
	json_field_bool(w, "required", !f || f->required);
	json_key(w, SLICE("schema"));
	if (f)
		put_type(w, f);
	else
		json_put_raw(w, SLICE("{\"type\":\"string\",\"minLength\":1,"
				      "\"maxLength\":128}"));
	json_object_end(w);
}

static void put_parameters(struct jsonw *w, const struct api_op *op)
{
	struct slice rest = slice_str(op->path), part;

	json_key(w, SLICE("parameters"));
	json_array(w);
	while (slice_split(&rest, '/', &part))
		if (part.n > 2 && part.p[0] == '{')
			put_parameter(w, slice_of(part.p + 1, part.n - 2), "path", NULL);
	for (const struct api_field *f = op->query; f && f->name; f++)
		put_parameter(w, slice_str(f->name), "query", f);
	json_array_end(w);
}

static void put_body(struct jsonw *w, const struct api_field *list)
{
	json_key(w, SLICE("requestBody"));
	json_object(w);
	json_field_bool(w, "required", true);
	json_key(w, SLICE("content"));
	json_object(w);
	json_key(w, SLICE("application/json"));
	json_object(w);
	json_key(w, SLICE("schema"));
	json_object(w);
	json_field_string(w, "type", SLICE("object"));
	json_key(w, SLICE("properties"));
	json_object(w);
	for (const struct api_field *f = list; f->name; f++) {
		json_key(w, slice_str(f->name));
		put_type(w, f);
	}
	json_object_end(w);
	json_key(w, SLICE("required"));
	json_array(w);
	for (const struct api_field *f = list; f->name; f++)
		if (f->required)
			json_put_string(w, slice_str(f->name));
	json_array_end(w);
	json_object_end(w);
	json_object_end(w);
	json_object_end(w);
	json_object_end(w);
}

static void put_answers(struct jsonw *w, const struct api_op *op)
{
	struct buf code = BUF_INIT(16), ref = BUF_INIT(256);

	buf_dec(&code, (uint64_t)op->status);
	json_key(w, SLICE("responses"));
	json_object(w);
	json_key(w, buf_slice(&code));
	json_object(w);
	json_field_string(w, "description", slice_str(op->answer ? op->answer : "Done"));
	if (op->answer && op->need & API_ANYBODY) {
		buf_printf(&ref, "{\"%s\":{}}", op->answer);
		json_field_raw(w, "content", buf_slice(&ref));
	} else if (op->answer) {
		buf_printf(&ref,
			   "{\"application/json\":{\"schema\":{\"$ref\":"
			   "\"#/components/schemas/%s\"}}}",
			   op->answer);
		json_field_raw(w, "content", buf_slice(&ref));
	}
	json_object_end(w);
	json_field_raw(w, "default",
		       SLICE("{\"$ref\":\"#/components/responses/Error\"}"));
	json_object_end(w);
	buf_fini(&code);
	buf_fini(&ref);
}

static const char *method_name(enum http_method m)
{
	return m == HTTP_GET      ? "get"
	       : m == HTTP_POST   ? "post"
	       : m == HTTP_PUT    ? "put"
	       : m == HTTP_PATCH  ? "patch"
	       : m == HTTP_DELETE ? "delete"
				  : "options";
}

static void put_op(struct jsonw *w, const struct api_op *op)
{
	json_key(w, slice_str(method_name(op->method)));
	json_object(w);
	json_field_string(w, "operationId", slice_str(op->id));
	json_field_string(w, "summary", slice_str(op->summary));
	put_parameters(w, op);
	if (op->body)
		put_body(w, op->body);
	if (op->need & API_PIECES)
		json_field_raw(w, "requestBody",
			       SLICE("{\"required\":true,\"content\":{\"*/*\":{}}}"));
	if (op->need & API_ANYBODY)
		json_field_raw(w, "security", SLICE("[]"));
	if (op->need & API_SEATED)
		json_field_raw(w, "security",
			       SLICE("[{\"token\":[]},{\"key\":[]},{\"seat\":[]}]"));
	put_answers(w, op);
	json_object_end(w);
}

static bool is_first(size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(api_ops[i].path, api_ops[at].path) == 0)
			return false;
	return true;
}

static void put_paths(struct jsonw *w)
{
	json_key(w, SLICE("paths"));
	json_object(w);
	for (size_t i = 0; i < api_op_count; i++) {
		if (!is_first(i))
			continue;
		json_key(w, slice_str(api_ops[i].path));
		json_object(w);
		for (size_t k = i; k < api_op_count; k++)
			if (strcmp(api_ops[k].path, api_ops[i].path) == 0)
				put_op(w, &api_ops[k]);
		json_object_end(w);
	}
	json_object_end(w);
}

static void put_components(struct jsonw *w)
{
	json_key(w, SLICE("components"));
	json_object(w);
	json_key(w, SLICE("schemas"));
	json_object(w);
	for (size_t i = 0; i < ARRAY_LEN(schemas); i++)
		json_field_raw(w, schemas[i].name, slice_str(schemas[i].schema));
	json_object_end(w);
	json_field_raw(w, "responses",
		       SLICE("{\"Error\":{\"description\":\"Refused\",\"content\":"
			     "{\"application/json\":{\"schema\":{\"$ref\":"
			     "\"#/components/schemas/Error\"}}}}}"));
	json_field_raw(
		w, "securitySchemes",
		SLICE("{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\","
		      "\"bearerFormat\":\"JWT\",\"description\":\"a token with the "
		      "grants that are needed, or NAME:SECRET\"},\"key\":{\"type\":"
		      "\"http\",\"scheme\":\"basic\",\"description\":\"an API key: "
		      "NAME and SECRET\"},\"seat\":{\"type\":\"http\",\"scheme\":"
		      "\"bearer\",\"description\":\"`upload` of the reply to a "
		      "join\"}}"));
	json_object_end(w);
}

void api_print_openapi(struct buf *b, const char *version)
{
	struct jsonw w;

	json_begin(&w, b);
	json_object(&w);
	json_field_string(&w, "openapi", SLICE("3.1.0"));
	json_key(&w, SLICE("info"));
	json_object(&w);
	json_field_string(&w, "title", SLICE("Parley server API"));
	json_field_string(&w, "version", slice_str(version));
	json_field_raw(&w, "license", SLICE("{\"name\":\"MIT\",\"identifier\":\"MIT\"}"));
	json_object_end(&w);
	json_field_raw(&w, "servers", SLICE("[{\"url\":\"/\"}]"));
	json_field_raw(&w, "security", SLICE("[{\"token\":[]},{\"key\":[]}]"));
	put_paths(&w);
	put_components(&w);
	json_object_end(&w);
}
