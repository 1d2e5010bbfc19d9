package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/FerretDB/FerretDB/internal/bson"
	"github.com/FerretDB/FerretDB/internal/clientconn/conninfo"
	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
	"github.com/FerretDB/FerretDB/internal/types"
	"github.com/FerretDB/wire"
)

type run = func(context.Context, *wire.OpMsg) (*wire.OpMsg, error)

// anyone may run these: MongoDB asks no rights for them.
var anyone = set(
	"buildInfo", "buildinfo", "connectionStatus", "hello", "isMaster", "ismaster", "listCommands", "logout", "ping",
	"saslContinue", "saslStart", "whatsmyuri",
)

// own are what MongoDB's role readWrite allows on its database. What is in no list is the administrator's.
var own = set(
	"aggregate", "collStats", "count", "create", "createIndexes", "dataSize", "dbStats", "dbstats", "delete", "distinct",
	"drop", "dropIndexes", "explain", "find", "findAndModify", "findandmodify", "getMore", "insert", "killCursors",
	"listCollections", "listIndexes", "update",
)

func set(names ...string) map[string]bool {
	all := map[string]bool{}
	for _, name := range names {
		all[name] = true
	}
	return all
}

// guarded returns a command that runs only for those who may run it. FerretDB itself knows who has logged in, and
// nothing about rights.
func (a *accounts) guarded(name string, inner run) run {
	return func(ctx context.Context, message *wire.OpMsg) (*wire.OpMsg, error) {
		_, _, conversation, base := conninfo.Get(ctx).Auth()
		if conversation == nil || !conversation.Valid() || anyone[name] {
			return inner(ctx, message) // which refuses what needs a login
		}
		database, ok := a.may(conversation.Username())
		if !ok || base != home {
			return nil, refusal(name, "any database")
		}
		if database == "" {
			return inner(ctx, message)
		}
		request, err := document(message)
		if err != nil {
			return nil, err
		}
		asked, _ := request.Get("$db")
		switch {
		case own[name]:
			ok = asked == database
		case name == "renameCollection":
			ok = within(request, name, database) && within(request, "to", database)
		case name == "listDatabases":
			return listed(ctx, message, inner, database)
		default:
			ok = false
		}
		if !ok {
			return nil, refusal(name, fmt.Sprint(asked))
		}
		return inner(ctx, message)
	}
}

func refusal(name, database string) error {
	text := fmt.Sprintf("not authorized on %s to execute command %s", database, name)
	return handlererrors.NewCommandErrorMsgWithArgument(handlererrors.ErrUnauthorized, text, name)
}

// document reads a message as FerretDB's handlers do, and refuses one that can be read in two ways.
func document(message *wire.OpMsg) (*types.Document, error) {
	request, err := bson.ToDocument(message.RawSection0())
	if err != nil {
		return nil, err
	}
	for _, section := range message.Sections() {
		if section.Kind == 0 {
			continue
		}
		// Their documents are no matter of rights, their names are: they could hide a field of the first section.
		if request.Has(section.Identifier) {
			return nil, twice(section.Identifier)
		}
	}
	if key, found := request.FindDuplicateKey(); found {
		return nil, twice(key)
	}
	return request, nil
}

func twice(key string) error {
	return handlererrors.NewCommandErrorMsg(handlererrors.ErrBadValue, "the field "+key+" is there twice")
}

// within tells whether a field names a collection of the database.
func within(request *types.Document, field, database string) bool {
	value, _ := request.Get(field)
	name, ok := value.(string)
	return ok && strings.HasPrefix(name, database+".")
}

// listed answers listDatabases with the one that the user has rights on.
func listed(ctx context.Context, message *wire.OpMsg, inner run, database string) (*wire.OpMsg, error) {
	answer, err := inner(ctx, message)
	if err != nil {
		return nil, err
	}
	all, err := bson.ToDocument(answer.RawSection0())
	if err != nil {
		return nil, err
	}
	value, _ := all.Get("databases")
	databases, ok := value.(*types.Array)
	if !ok {
		return nil, refusal("listDatabases", home)
	}
	mine := types.MakeArray(1)
	var size int64
	for i := range databases.Len() {
		item, err := databases.Get(i)
		if err != nil {
			return nil, err
		}
		entry, ok := item.(*types.Document)
		if !ok {
			continue
		}
		if name, _ := entry.Get("name"); name == database {
			mine.Append(entry)
			bytes, _ := entry.Get("sizeOnDisk")
			size, _ = bytes.(int64)
		}
	}
	all.Set("databases", mine)
	if all.Has("totalSize") {
		all.Set("totalSize", size)
		all.Set("totalSizeMb", size>>20)
	}
	out, err := bson.FromDocument(all)
	if err != nil {
		return nil, err
	}
	return wire.NewOpMsg(out)
}
