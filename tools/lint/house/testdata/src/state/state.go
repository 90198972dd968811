package state

import (
	"errors"
	"sync"
)

var (
	ErrFixed = errors.New("fixed")
	table    = map[string]int{"a": 1}
	count    int
	lock     sync.Mutex // want `lock is shared by the whole process`
)

func init() { // want `init runs before anybody can say how`
	println(table["a"])
}

func change() {
	count++        // want `count is shared by the whole process and changes here`
	table["b"] = 2 // want `table is shared by the whole process and changes here`
	count := 1
	count++
	_ = count
}
