// A hook tool: sends its arguments to the agent and prints what comes back. One program, a symbolic link for each tool.
// The format is described in server.py.
//
// A hook calls twenty of these, and starting Go's runtime would take four times as long as all that is done here. So the
// linker is told that `start` is the entry (-E main.start), and the runtime is linked but never started. What that
// means: nothing may be allocated (no append, no closures, no strings put together), all memory is the arrays below, and
// an index out of range ends in a crash instead of a panic. The kernel gives pages of the arrays only where touched.
package main

import (
	"syscall"
	"unsafe"
)

const (
	largest  = 64<<20 + 1<<16 // what the agent takes, and some arguments
	digits   = 10
	current  = ^uintptr(99) // AT_FDCWD, for a path from the current directory
	noSignal = syscall.MSG_NOSIGNAL
)

var (
	local     uintptr     // the thread's own storage, of one word
	goroutine [64]uintptr // as the runtime's g: its limit of the stack is 0, so that no function thinks it must grow
	request   [largest]byte
	size      int
	piece     [1 << 16]byte // of a reply
	address   syscall.RawSockaddrUnix
)

func start()

func main() { start() } // never called: the linker wants it

func run(stack *uintptr) {
	arguments := unsafe.Slice((**byte)(unsafe.Add(unsafe.Pointer(stack), 8)), int(*stack))
	environment := (**byte)(unsafe.Add(unsafe.Pointer(stack), 8*(*stack+2)))
	name := text(arguments[0])
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '/' {
			name = name[i+1:]
			break
		}
	}
	put('c', variable(environment, "JUJU_CONTEXT_ID"))
	put('t', name)
	putArguments(name, arguments[1:])
	add(".\n")
	agent := connect(variable(environment, "JUJU_AGENT_SOCKET_ADDRESS"))
	for sent := 0; sent < size; {
		n, problem := call(syscall.SYS_SENDTO, agent, at(request[sent:]), uintptr(size-sent), noSignal)
		if problem != 0 {
			fail("lost the agent")
		}
		sent += n
	}
	exit(pass(agent))
}

func putArguments(name string, arguments []*byte) {
	takesFile := name == "relation-set" || name == "state-set" || name == "pod-spec-set" ||
		name == "secret-set" || name == "secret-add"
	takesFiles := begins(name, "secret-")
	flags := true
	for i := 0; i < len(arguments); i++ {
		word := text(arguments[i])
		put('a', word)
		switch {
		case !flags:
		case word == "--":
			flags = false
		case takesFile && (word == "--file" || begins(word, "--file=")):
			path := word[len("--file"):]
			if path == "" {
				if i++; i == len(arguments) {
					return
				}
				path = text(arguments[i])
				put('a', path)
			} else {
				path = path[1:]
			}
			if path == "-" {
				putContent('i', 0)
			} else {
				putFile('i', path)
			}
		case takesFiles:
			if path, names := named(word); names {
				putFile('f', path)
			}
		}
	}
}

// named returns the path in KEY#file=PATH.
func named(word string) (string, bool) {
	const mark = "#file="
	if word == "" || word[0] == '-' || word[0] == '=' {
		return "", false
	}
	for i := 1; i < len(word) && word[i] != '='; i++ {
		if begins(word[i:], mark) {
			return word[i+len(mark):], true
		}
	}
	return "", false
}

// put adds a part to the request. Its length is written with all its digits, so that it may be filled in afterwards.
func put(kind byte, value string) {
	begin := head(kind)
	add(value)
	length(begin)
}

func putFile(kind byte, path string) {
	// The kernel reads on to the zero that ends the argument, which is the path's end as well.
	file, problem := call(syscall.SYS_OPENAT, current, uintptr(unsafe.Pointer(unsafe.StringData(path))), 0, 0)
	if problem != 0 {
		failFor("open ", path, ": ", problem)
	}
	putContent(kind, uintptr(file))
}

func putContent(kind byte, file uintptr) {
	begin := head(kind)
	for {
		if size == len(request) {
			fail("too large")
		}
		n, problem := call(syscall.SYS_READ, file, at(request[size:]), uintptr(len(request)-size), 0)
		if problem != 0 {
			failFor("read ", "", "", problem)
		}
		if n == 0 {
			break
		}
		size += n
	}
	length(begin)
}

func head(kind byte) int {
	if size+1+digits+1 > len(request) {
		fail("too large")
	}
	request[size] = kind
	size += 1 + digits + 1
	request[size-1] = '\n'
	return size
}

func length(begin int) {
	n := size - begin
	for i := begin - 2; i > begin-2-digits; i-- {
		request[i] = byte('0' + n%10)
		n /= 10
	}
}

func add(value string) {
	if size+len(value) > len(request) {
		fail("too large")
	}
	size += copy(request[size:], value)
}

func connect(path string) uintptr {
	agent, problem := call(syscall.SYS_SOCKET, syscall.AF_UNIX, syscall.SOCK_STREAM, 0, 0)
	if problem != 0 || path == "" || len(path) >= len(address.Path) {
		fail("cannot reach the agent")
	}
	address.Family = syscall.AF_UNIX
	for i := 0; i < len(path); i++ {
		address.Path[i] = int8(path[i])
	}
	if _, problem = call(syscall.SYS_CONNECT, uintptr(agent), uintptr(unsafe.Pointer(&address)), unsafe.Sizeof(address), 0); problem != 0 {
		fail("cannot reach the agent")
	}
	return uintptr(agent)
}

// pass prints the reply, and returns the exit code that it names.
func pass(agent uintptr) uintptr {
	var numbers [3]int // exit code, bytes for stdout, bytes for stderr
	field, inHead := 0, true
	for {
		n, problem := call(syscall.SYS_READ, agent, at(piece[:]), uintptr(len(piece)), 0)
		if problem != 0 || (n == 0 && (inHead || numbers[1]+numbers[2] > 0)) {
			fail("lost the agent")
		}
		if n == 0 {
			return uintptr(numbers[0])
		}
		rest := piece[:n]
		for inHead && len(rest) > 0 {
			switch letter := rest[0]; {
			case letter == '\n':
				inHead = false
			case letter == ' ' && field < 2:
				field++
			default:
				numbers[field] = numbers[field]*10 + int(letter-'0')
			}
			rest = rest[1:]
		}
		for output := 1; output <= 2; output++ {
			part := rest[:min(len(rest), numbers[output])]
			write(uintptr(output), part)
			numbers[output] -= len(part)
			rest = rest[len(part):]
		}
	}
}

func write(file uintptr, data []byte) {
	for len(data) > 0 {
		n, problem := call(syscall.SYS_WRITE, file, at(data), uintptr(len(data)), 0)
		if problem != 0 {
			return
		}
		data = data[n:]
	}
}

func fail(reason string) {
	failFor(reason, "", "", 0)
}

func failFor(doing, path, then string, problem syscall.Errno) {
	size = 0
	add("ERROR ")
	add(doing)
	add(path)
	add(then)
	if problem != 0 {
		add(problem.Error())
	}
	add("\n")
	write(2, request[:size])
	exit(1)
}

func exit(code uintptr) {
	for {
		call(syscall.SYS_EXIT_GROUP, code, 0, 0, 0)
	}
}

// call makes a system call, again when a signal interrupts it.
func call(number, a, b, c, d uintptr) (int, syscall.Errno) {
	for {
		result, _, problem := syscall.RawSyscall6(number, a, b, c, d, 0, 0)
		if problem != syscall.EINTR {
			return int(result), problem
		}
	}
}

func at(data []byte) uintptr {
	return uintptr(unsafe.Pointer(unsafe.SliceData(data)))
}

// text returns what ends with a zero byte, in place.
func text(begin *byte) string {
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(begin), n)) != 0 {
		n++
	}
	return unsafe.String(begin, n)
}

func begins(word, prefix string) bool {
	return len(word) >= len(prefix) && word[:len(prefix)] == prefix
}

func variable(environment **byte, name string) string {
	for ; *environment != nil; environment = (**byte)(unsafe.Add(unsafe.Pointer(environment), 8)) {
		if entry := text(*environment); len(entry) > len(name) && entry[len(name)] == '=' && begins(entry, name) {
			return entry[len(name)+1:]
		}
	}
	return ""
}
